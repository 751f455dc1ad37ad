import { writeFile } from "node:fs/promises";
import { once } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../../src/ssh/connect.ts";
import type { Hop } from "../../src/ssh/route.ts";
import { printable } from "../../src/system/printable.ts";
import { openLink } from "./open-link.ts";
import {
  collect,
  freePort,
  hopTo,
  makeGround,
  operatorError,
  sshdMissing,
  startServer,
  startSshd,
  type TestGround,
} from "./start-sshd.ts";
import { until } from "../support/until.ts";

const signal = new AbortController().signal;
let ground: TestGround;
beforeAll(async () => {
  ground = await makeGround();
});
afterAll(() => ground.stop());

const hopAt = (at: { address: string; port: number }): Hop => ({
  name: "kind",
  ...at,
  user: "nobody",
  identityFiles: [ground.key],
  identitiesOnly: false,
  knownHostsFiles: [],
});

test("what steers a terminal is made visible", () => {
  expect(printable("a\u001b[31mb\u0007\u009b\r\n\u202e\u200fü😀")).toBe(
    "a\\x1b[31mb\\x07\\x9b\\x0d\\n\\u202e\\u200fü😀",
  );
});

describe("servers that are none", () => {
  const failure = async (serve: Parameters<typeof startServer>[1]) =>
    operatorError(
      connect([hopAt(await startServer(ground, serve))], { signal, connectTimeoutMs: 600 }),
    );

  test("gone before it is greeted", async () => {
    let serve = (_socket: Socket): void => {};
    const accepted = new Promise<Socket>((resolve) => (serve = resolve));
    const at = await startServer(ground, (socket) => serve(socket));
    const opening = openLink(hopAt(at), async (socket) => {
      const closed = new Promise((resolve) => socket.once("close", resolve));
      (await accepted).resetAndDestroy();
      // Paused, it would not notice.
      socket.resume();
      await closed;
    });
    expect(await operatorError(opening)).toMatchObject({ kind: "unreachable" });
  });

  test("silent", async () => {
    const error = await failure(() => {});
    expect(error.kind).toBe("unreachable");
    expect(error.message).toMatch(
      /^kind \(127\.0\.0\.82:\d+\): failed while waiting for its SSH greeting: nothing within 0\.6 s$/,
    );
  });

  test("silent after the greeting", async () => {
    const error = await failure((socket) => socket.write("SSH-2.0-Quiet\r\n"));
    expect(error.message).toContain("failed while exchanging keys: nothing within");
  });

  test("HTTP", async () => {
    const error = await failure((socket) =>
      socket.on("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
    );
    expect(error.message).toContain(
      'this is not an SSH server, it says "HTTP/1.1 400 Bad Request"',
    );
  });

  test("closes at once", async () => {
    const error = await failure((socket) => socket.end());
    expect(error.message).toContain("failed while waiting for its SSH greeting");
    expect(error.next).toContain("MaxStartups");
  });

  test("resets at once", async () => {
    const error = await failure((socket) => socket.resetAndDestroy());
    expect(error.kind).toBe("unreachable");
    expect(error.message).toMatch(/ECONNRESET|closed/);
  });

  test("100 kB on one line, and control characters", async () => {
    const long = await failure((socket) =>
      socket.write(`\u001b]0;owned\u0007${"x".repeat(100_000)}`),
    );
    expect(long.message).toContain('it says "\\x1b]0;owned\\x07xxx');
    expect(long.message.length).toBeLessThan(300);
  });

  test("nonsense after the greeting", async () => {
    const error = await failure((socket) =>
      socket.write(`SSH-2.0-Mad\r\n${"\u00ff".repeat(5000)}`),
    );
    expect(error.kind).toBe("unreachable");
    expect(error.message).toContain("while exchanging keys");
  });

  test("a penalty in force", async () => {
    // sshd of OpenSSH 9.8 and later, for addresses whose logins have failed too often.
    const error = await failure((socket) => socket.end("Not allowed at this time\r\n"));
    expect(error.kind).toBe("unreachable");
    expect(error.message).toContain(
      'takes no more connections for now: "Not allowed at this time"',
    );
    expect(error.next).toContain("PerSourcePenalties");
  });

  test("nobody listens", async () => {
    const error = await operatorError(
      connect([hopAt({ address: "127.0.0.82", port: await freePort("127.0.0.82") })], { signal }),
    );
    expect(error.kind).toBe("unreachable");
    expect(error.message).toContain("the connection was refused: connect ECONNREFUSED");
  });

  test("a name that does not exist", async () => {
    const error = await operatorError(
      connect([hopAt({ address: "no-such-host.invalid", port: 22 })], { signal }),
    );
    expect(error.message).toContain("its name cannot be looked up");
  });

  test("cancelled while it waits", async () => {
    const controller = new AbortController();
    const at = await startServer(ground, () =>
      setTimeout(() => controller.abort(new Error("Ctrl-C")), 50),
    );
    await expect(connect([hopAt(at)], { signal: controller.signal })).rejects.toThrow("Ctrl-C");
    await expect(connect([hopAt(at)], { signal: controller.signal })).rejects.toThrow("Ctrl-C");
  });
});

describe.skipIf(sshdMissing)("real servers with habits", () => {
  test.each([
    ["cipher", "Ciphers aes256-cbc", /no matching.*cipher/, "the server's cipher: aes256-cbc"],
    [
      "key exchange",
      "KexAlgorithms sntrup761x25519-sha512@openssh.com",
      /no matching key exchange/,
      "sntrup761x25519",
    ],
  ])(
    "no common %s: one error that lists the other side",
    async (name, setting, message, detail) => {
      const sshd = await startSshd(ground, `no-common-${name.replace(" ", "-")}`, {
        settings: [setting],
      });
      const error = await operatorError(connect([await hopTo(ground, sshd, name)], { signal }));
      expect(error.kind).toBe("failed");
      expect(error.message).toMatch(message);
      expect(error.details.join("\n")).toContain(detail);
    },
  );

  test.each(["aes128-gcm@openssh.com", "aes256-ctr", "chacha20-poly1305@openssh.com"])(
    "only %s",
    async (cipher) => {
      const sshd = await startSshd(ground, cipher.split("@")[0] ?? "", {
        settings: [`Ciphers ${cipher}`],
      });
      await (await connect([await hopTo(ground, sshd, "cipher")], { signal })).close();
    },
  );

  test("a long banner with control characters stays in the log, made visible; one of 100 kB is refused by name", async () => {
    const banner = join(ground.folder, "banner");
    await writeFile(banner, `\u001b[31mWelcome\u0007\n${"all your base\n".repeat(2000)}`);
    const sshd = await startSshd(ground, "banner-server", { settings: [`Banner ${banner}`] });
    const lines: string[] = [];
    const connection = await connect([await hopTo(ground, sshd, "banner")], {
      signal,
      log: (line) => lines.push(line),
    });
    await connection.close();
    expect(lines.join("\n")).toContain("\\x1b[31mWelcome\\x07");
    expect(lines.join("\n")).not.toContain("\u001b");
    await writeFile(banner, "all your base\n".repeat(7000));
    const error = await operatorError(connect([await hopTo(ground, sshd, "banner")], { signal }));
    expect(error.next).toContain("Banner");
  });

  test("no more connections for now", async () => {
    const sshd = await startSshd(ground, "busy", { settings: ["MaxStartups 1"] });
    let first: Socket | undefined;
    // Whoever saw that the server listens may count still: then it is this one that is one too many.
    await until("one waits to log in", async () => {
      first?.destroy();
      first = connectSocket(sshd.port, sshd.address);
      const [greeting] = (await once(first, "data")) as [Buffer];
      return greeting.toString().startsWith("SSH-");
    });
    const error = await operatorError(connect([await hopTo(ground, sshd, "busy")], { signal }));
    first?.destroy();
    expect(error.kind).toBe("unreachable");
    expect(`${error.message} ${error.next}`).toContain("MaxStartups");
  });

  test("a forced command is what runs, and its exit code is its own", async () => {
    const sshd = await startSshd(ground, "forced", {
      settings: ["ForceCommand echo forced: $SSH_ORIGINAL_COMMAND; exit 7"],
    });
    const connection = await connect([await hopTo(ground, sshd, "forced")], { signal });
    const stdout = collect();
    const status = await connection.execute("rm -rf /", { stdout, stderr: collect() });
    expect(status).toEqual({ code: 7 });
    expect(stdout.text()).toBe("forced: rm -rf /\n");
    await connection.close();
  });

  test("100 kB in front of the greeting", async () => {
    const sshd = await startSshd(ground, "chatty");
    const at = await startServer(ground, (socket) => {
      const onward = connectSocket(sshd.port, sshd.address);
      onward.on("error", () => {});
      socket.write("You are being watched\r\n".repeat(4500), () =>
        setTimeout(() => socket.pipe(onward).pipe(socket), 50),
      );
    });
    const knownHosts = join(ground.folder, "chatty-known");
    await writeFile(
      knownHosts,
      sshd.knownHosts
        .join("\n")
        .replaceAll(`[${sshd.address}]:${sshd.port}`, `[${at.address}]:${at.port}`),
    );
    const hop = await hopTo(ground, sshd, "chatty", { ...at, knownHostsFiles: [knownHosts] });
    // ssh2 drops what spans its chunks: it must connect or say so, and never hang.
    const outcome = await connect([hop], { signal, connectTimeoutMs: 1500 }).then(
      (connection) => connection.close().then(() => "connected"),
      (error: Error) => error.message,
    );
    expect(outcome).toMatch(/^connected$|failed while|this is not an SSH server/);
  });
});
