import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { PassThrough, Readable, type Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, type Connection } from "../../src/ssh/connect.ts";
import type { Hop, Route } from "../../src/ssh/route.ts";
import { makeFidoKey, startFakeAgent } from "./fake-agent.ts";
import {
  collect,
  freePort,
  hopTo,
  makeGround,
  makeKey,
  operatorError,
  publicKey,
  run,
  sshdMissing,
  startRelay,
  startServer,
  startSshd,
  user,
  type TestGround,
  type TestSshd,
} from "./start-sshd.ts";
import { until } from "../support/until.ts";

const signal = new AbortController().signal;

/** Programs whose command line holds the text. */
function programsWith(text: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")];
      } catch {
        return [];
      }
    })
    .filter((line) => line.includes(text));
}

// The ssh program does what ssh2 cannot do.
describe.skipIf(sshdMissing)("through the ssh program", () => {
  let ground: TestGround;
  let sshd: TestSshd;
  /** A key that no server lets in, and its certificate that they do. */
  let certified: string;
  let connection: Connection;
  const notes: string[] = [];
  const at = (name: string): string => join(ground.folder, name);

  beforeAll(async () => {
    ground = await makeGround();
    const ca = await makeKey(at("ca"));
    certified = await makeKey(at("certified"));
    await run("ssh-keygen", ["-q", "-s", ca, "-I", "me", "-n", user, `${certified}.pub`]);
    sshd = await startSshd(ground, "sshd", trusting());
    connection = await connect([await hop()], { signal, note: (line) => notes.push(line) });
  });
  afterAll(async () => {
    await connection?.close();
    await ground.stop();
    expect(programsWith(ground.folder)).toEqual([]);
  });

  const trusting = (): { settings: string[] } => ({
    settings: [`TrustedUserCAKeys ${at("ca")}.pub`, "SetEnv HOME=/nonexistent"],
  });
  const hop = (changes: Partial<Hop> = {}, server = sshd): Promise<Hop> =>
    hopTo(ground, server, "host", { identityFiles: [certified], ...changes });
  const forwardTo = async (serve: (socket: Socket) => void, via = connection): Promise<Duplex> => {
    const { address, port } = await startServer(ground, serve);
    return via.forward({ host: address, port });
  };
  const through = async (): Promise<{ cutable: Connection; cut: () => void }> => {
    const relay = await startRelay(ground, sshd);
    const known = at(`relay-${relay.port}`);
    await writeFile(
      known,
      sshd.knownHosts.join("\n").replace(/^\S+/, `[${relay.address}]:${relay.port}`),
    );
    const route: Route = [await hop({ ...relay, knownHostsFiles: [known] })];
    return { cutable: await connect(route, { signal }), cut: relay.cut };
  };

  test("a certificate beside its key lets in, and it is said why", () => {
    expect(notes).toEqual([
      `host (${sshd.address}:${sshd.port}): through the ssh program, because ${certified}-cert.pub is a certificate`,
    ]);
    expect(connection).toMatchObject({ host: "host", address: sshd.address });
    expect(connection.isOpen()).toBe(true);
  });

  test("a certificate that is only in the agent, or named by the settings", async () => {
    const agentSocket = at("agent.sock");
    await run("ssh-agent", ["-a", agentSocket]).then(({ stdout }) =>
      ground.onStop(() => process.kill(Number(/PID=(\d+)/.exec(stdout)?.[1]))),
    );
    const env = { ...process.env, SSH_AUTH_SOCK: agentSocket };
    await run("ssh-add", ["-q", certified], { env });
    await (await connect([await hop({ agentSocket, identityFiles: [] })], { signal })).close();
    const elsewhere = at("elsewhere");
    await copyFile(certified, elsewhere);
    await copyFile(`${certified}-cert.pub`, at("a certificate.pub"));
    const forProgram = { certificateFiles: [at("a certificate.pub")], gssapi: false };
    await (
      await connect([await hop({ identityFiles: [elsewhere], forProgram })], { signal })
    ).close();
  });

  test("output, error output, exit codes, 255 and signals", async () => {
    const [stdout, stderr] = [collect(), collect()];
    const status = await connection.execute("echo out; echo error >&2; exit 3", { stdout, stderr });
    expect(status).toEqual({ code: 3 });
    expect([stdout.text(), stderr.text()]).toEqual(["out\n", "error\n"]);
    const end = { stdout: collect(), stderr: collect() };
    expect(await connection.execute("exit 255", end)).toEqual({ code: 255 });
    expect(await connection.execute("kill -TERM $$", end)).toEqual({ signal: "SIGTERM" });
  });

  test("5 MB on stdout and on stderr, and stdin with its end", async () => {
    const [stdout, stderr] = [collect(), collect()];
    await connection.execute("head -c 5000000 /dev/zero; head -c 5000000 /dev/zero >&2", {
      stdout,
      stderr,
    });
    expect([stdout.sizeBytes(), stderr.sizeBytes()]).toEqual([5_000_000, 5_000_000]);
    const counted = collect();
    const stdin = Readable.from([Buffer.alloc(5_000_000)]);
    await connection.execute("wc -c", { stdin, stdout: counted, stderr });
    expect(counted.text().trim()).toBe("5000000");
  });

  test("a shell on a terminal: its size, and a new one", async () => {
    const [stdin, stdout] = [new PassThrough(), collect()];
    let resize: (size: { columns: number; rows: number }) => void = () => {};
    const running = connection.openShell({
      stdin,
      stdout,
      stderr: collect(),
      terminal: {
        term: "xterm",
        columns: 91,
        rows: 17,
        onResize: (listener) => {
          resize = listener;
          return () => {};
        },
      },
    });
    stdin.write("stty size\r");
    await until("the size", () => stdout.text().includes("17 91"));
    resize({ columns: 77, rows: 33 });
    await until("the new size", () => {
      stdin.write("stty size\r");
      return stdout.text().includes("33 77");
    });
    stdin.write("exit 5\r");
    expect(await running).toEqual({ code: 5 });
  });

  test("8 MB both ways at once", async () => {
    const sent = randomBytes(8_000_000);
    const stream = await forwardTo((socket) => socket.pipe(socket));
    stream.end(sent);
    const back = await buffer(stream);
    const hash = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
    expect(hash(back)).toBe(hash(sent));
  });

  test("an answer after our end, and our end after the answer", async () => {
    const late = await forwardTo((socket) => {
      let size = 0;
      socket.on("data", (chunk) => (size += chunk.length));
      socket.on("end", () => socket.end(`got ${size}`));
      socket.allowHalfOpen = true;
    });
    late.end(Buffer.alloc(3_000_000));
    expect((await buffer(late)).toString()).toBe("got 3000000");
    let received = "";
    const early = await forwardTo((socket) => {
      socket.allowHalfOpen = true;
      socket.end("bye");
      socket.on("data", (chunk) => (received += chunk.toString()));
    });
    early.resume();
    await once(early, "end");
    early.end("still here");
    await until("the late bytes arrive", () => received === "still here");
  });

  test("a hundred short ones", async () => {
    const { address, port } = await startServer(ground, (socket) => socket.end("x"));
    for (let round = 0; round < 10; round++) {
      const streams = Array.from({ length: 10 }, async () => {
        const stream = await connection.forward({ host: address, port });
        stream.end();
        return (await buffer(stream)).toString();
      });
      expect(await Promise.all(streams)).toEqual(Array.from({ length: 10 }, () => "x"));
    }
  });

  test("a closed port is an error of that forward alone; the remote resets an upload: EPIPE", async () => {
    const port = await freePort("127.0.0.82");
    const error = await operatorError(connection.forward({ host: "127.0.0.82", port }));
    expect(error.message).toContain(
      `SSH is fine, but 127.0.0.82:${port} cannot be reached from there`,
    );
    const stream = await forwardTo((socket) =>
      setTimeout(() => socket.resetAndDestroy(), 50).unref(),
    );
    const failed = once(stream, "error") as Promise<[Error]>;
    stream.resume();
    stream.write(Buffer.alloc(20_000_000));
    expect((await failed)[0]).toMatchObject({ code: "EPIPE" });
    expect(connection.isOpen()).toBe(true);
  });

  test("the local end resets during a download: the remote sees it", async () => {
    let gone = false;
    const stream = await forwardTo((socket) => {
      socket.write(Buffer.alloc(10_000_000));
      socket.on("close", () => (gone = true));
    });
    await once(stream, "data");
    stream.destroy();
    await until("the remote end is gone", () => gone);
  });

  test("uploads that the remote resets and downloads that we leave harm nothing else", async () => {
    const resets = await startServer(ground, (socket) => {
      socket.once("data", () => socket.resetAndDestroy());
    });
    const floods = await startServer(
      ground,
      (socket) => void socket.write(Buffer.alloc(10_000_000)),
    );
    const upload = async (): Promise<void> => {
      const stream = await connection.forward({ host: resets.address, port: resets.port });
      stream.resume().on("error", () => {});
      const closed = new Promise((resolve) => stream.on("close", resolve));
      for (let count = 0; count < 40; count++) stream.write(Buffer.alloc(100_000));
      await closed;
    };
    const download = async (): Promise<void> => {
      const stream = await connection.forward({ host: floods.address, port: floods.port });
      await once(stream, "data");
      stream.destroy();
    };
    for (let round = 0; round < 15; round++)
      await Promise.all([upload(), download(), upload(), download()]);
    const stdout = collect();
    await connection.execute("echo well", { stdout, stderr: collect() });
    expect(stdout.text()).toBe("well\n");
  });

  test("the link is cut: a download, an upload and a command fail, none ends", async () => {
    const { cutable, cut } = await through();
    const download = await forwardTo((socket) => socket.write(Buffer.alloc(1_000_000)), cutable);
    const upload = await forwardTo((socket) => socket.pause(), cutable);
    let ended = false;
    download.on("end", () => (ended = true)).resume();
    const failures = [download, upload].map((one) => once(one, "error") as Promise<[Error]>);
    const running = operatorError(
      cutable.execute("sleep 60", { stdout: collect(), stderr: collect() }),
    );
    upload.write(Buffer.alloc(20_000_000));
    await wait(100);
    cut();
    for (const [error] of await Promise.all(failures))
      expect(error.message).toContain("the connection was lost");
    expect(ended).toBe(false);
    expect((await running).message).toContain("the connection was lost");
    expect((await cutable.closed)?.kind).toBe("unreachable");
    expect(cutable.isOpen()).toBe(false);
    await expect(cutable.forward({ host: "127.0.0.1", port: 1 })).rejects.toThrow("was lost");
    await cutable.close();
  });

  test("abort ends it with the reason; close ends it, its program and its folder", async () => {
    const folders = (): string[] =>
      readdirSync(tmpdir()).filter((name) => /^lcops-ssh-\d+-/.test(name));
    const controller = new AbortController();
    const own = await connect([await hop()], { signal: controller.signal });
    const running = own.execute("sleep 60", { stdout: collect(), stderr: collect() });
    controller.abort(new Error("Ctrl-C"));
    await expect(running).rejects.toThrow("Ctrl-C");
    expect(await own.closed).toBeUndefined();
    // As one leaves it that was killed.
    const left = join(tmpdir(), `lcops-ssh-${await deadPid()}-left`);
    await mkdir(left);
    const before = folders();
    const other = await connect([await hop()], { signal });
    // Tests of other files make theirs meanwhile.
    const isOwn = (name: string): boolean => name.startsWith(`lcops-ssh-${process.pid}-`);
    const [folder = ""] = folders().filter((name) => isOwn(name) && !before.includes(name));
    expect(folder).not.toBe("");
    expect(folders()).not.toContain(basename(left));
    expect(readFileSync(join(tmpdir(), folder, "config"), "utf8")).toContain("BatchMode yes");
    await other.close();
    expect(await other.closed).toBeUndefined();
    expect(folders()).not.toContain(folder);
    await until("the program is gone", () => programsWith(join(tmpdir(), folder)).length === 0);
  });

  test("no certificate is tried after a plain key that lets in; what was needed is remembered", async () => {
    const stateFolder = at("state");
    const heard: string[] = [];
    const options = { signal, stateFolder, note: (line: string) => heard.push(line) };
    const plain = await hop({ identityFiles: [ground.key, certified] });
    await (await connect([plain], options)).close();
    expect(heard).toEqual([]);
    const wrong = await makeKey(at("wrong"));
    const { length } = await sshd.log();
    const needing = await hop({ name: "needing", identityFiles: [wrong, certified] });
    await (await connect([needing], options)).close();
    const first = (await sshd.log()).slice(length);
    await (await connect([needing], options)).close();
    const second = (await sshd.log()).slice(length + first.length);
    expect(heard).toHaveLength(2);
    expect(first.match(/^Failed publickey/gm)?.length).toBeGreaterThan(
      second.match(/^Failed publickey/gm)?.length ?? 0,
    );
    const file = join(stateFolder, "identities", encodeURIComponent(`${user}@needing`));
    expect(JSON.parse(await readFile(`${file}.json`, "utf8"))).toEqual({ throughProgram: true });
  });

  test("a certificate that is not let in either: refused, with the program's words", async () => {
    const foreign = await makeKey(at("foreign"));
    await run("ssh-keygen", ["-q", "-s", wrongCa(), "-I", "me", "-n", user, `${foreign}.pub`]);
    const error = await operatorError(
      connect([await hop({ identityFiles: [foreign] })], { signal }),
    );
    expect(error.kind).toBe("access");
    expect(error.message).toContain(`does not let ${user} in, through the ssh program either`);
    expect(error.details.join()).toContain("Permission denied (publickey)");
  });
  /** Of a process that has ended. */
  const deadPid = async (): Promise<number> => {
    const child = spawn("true");
    await once(child, "close");
    return child.pid ?? 0;
  };
  const wrongCa = (): string => ground.key;

  test("where there is no ssh program it is an ordinary refusal, which says what is missing", async () => {
    const { PATH } = process.env;
    process.env["PATH"] = "/nonexistent";
    const error = await operatorError(
      hop()
        .then((one) => connect([one], { signal }))
        .finally(() => (process.env["PATH"] = PATH)),
    );
    expect(error.kind).toBe("access");
    expect(error.message).toContain(`the server does not let ${user} in: 1 refused`);
    expect(error.next).toContain(
      `have the ssh program installed, because ${certified}-cert.pub is a certificate`,
    );
  });

  test("a FIDO key in the agent or in a file calls for the program; its device signs, which is not here", async () => {
    const agentSocket = at("fido.sock");
    const blob = makeFidoKey();
    await startFakeAgent(ground, agentSocket, [{ blob, comment: "yubi" }]);
    const heard: string[] = [];
    const options = { signal, note: (line: string) => heard.push(line) };
    const error = await operatorError(
      connect([await hop({ agentSocket, identityFiles: [] })], options),
    );
    expect(error.message).toContain("through the ssh program either");
    expect(heard[0]).toMatch(/because agent key yubi \(SHA256:.*\) is a FIDO key$/);
    const file = at("id_ed25519_sk");
    await writeFile(
      file,
      "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
      {
        mode: 0o600,
      },
    );
    await writeFile(`${file}.pub`, `sk-ssh-ed25519@openssh.com ${blob.toString("base64")}\n`);
    await operatorError(connect([await hop({ identityFiles: [file] })], options));
    expect(heard[1]).toContain(`because ${file} is a FIDO key`);
  });

  test("behind a ProxyCommand, whose percent signs are its own", async () => {
    const script = `const s=require("net").connect(${sshd.port},"${sshd.address}");process.stdin.pipe(s).pipe(process.stdout)`;
    const proxyCommand = `${process.execPath} -e '${script}' 100%Q`;
    const own = await connect([await hop({ proxyCommand })], { signal });
    const stdout = collect();
    await own.execute("echo in", { stdout, stderr: collect() });
    expect(stdout.text()).toBe("in\n");
    await own.close();
  });

  describe("jump hosts", () => {
    test("the bastion wants a certificate, the inner host a key", async () => {
      const inner = await startSshd(ground, "inner-plain", { address: "127.0.0.86" });
      const route: Route = [await hop(), await hopTo(ground, inner, "inner")];
      const heard: string[] = [];
      const both = await connect(route, { signal, note: (line) => heard.push(line) });
      const stdout = collect();
      await both.execute("echo $SSH_CONNECTION", { stdout, stderr: collect() });
      expect(stdout.text()).toContain(`127.0.0.86 ${inner.port}`);
      expect(heard).toEqual([
        expect.stringMatching(/^hop 1 of 2, host .* through the ssh program/),
      ]);
      await both.close();
    });

    test("the inner host wants a certificate, behind a key, and with its key pinned", async () => {
      const inner = await startSshd(ground, "inner-cert", { address: "127.0.0.87", ...trusting() });
      const route: Route = [
        await hop({ identityFiles: [ground.key] }),
        await hop({ name: "inner" }, inner),
      ];
      const heard: string[] = [];
      const both = await connect(route, { signal, note: (line) => heard.push(line) });
      const stdout = collect();
      await both.execute("head -c 3000000 /dev/zero", { stdout, stderr: collect() });
      expect(stdout.sizeBytes()).toBe(3_000_000);
      expect(heard).toEqual([
        expect.stringMatching(/^hop 2 of 2, inner .* through the ssh program/),
      ]);
      await both.close();
      const wrong = at("inner-wrong-known");
      await writeFile(wrong, `[127.0.0.87]:${inner.port} ${await publicKey(certified)}\n`);
      const [outer] = route;
      const changed = await hop({ name: "inner", knownHostsFiles: [wrong] }, inner);
      const error = await operatorError(connect([outer, changed], { signal }));
      expect(error.message).toMatch(/^hop 2 of 2, inner .*: the host key has changed/);
    });
  });

  describe("a host certificate", () => {
    const makeHost = async (name: string): Promise<{ server: TestSshd; authority: string }> => {
      const folder = at(name);
      await mkdir(folder);
      const key = await makeKey(join(folder, "own"));
      await run("ssh-keygen", [
        "-q",
        "-s",
        at("ca"),
        "-I",
        "host",
        "-h",
        "-n",
        "127.0.0.88",
        `${key}.pub`,
      ]);
      const server = await startSshd(ground, `${name}-server`, {
        address: "127.0.0.88",
        settings: [`HostKey ${key}`, `HostCertificate ${key}-cert.pub`],
      });
      const authority = `@cert-authority 127.0.0.* ${await publicKey(at("ca"))}\n`;
      return { server, authority };
    };

    test("is checked by the program, and one of another authority refused before a credential", async () => {
      const { server, authority } = await makeHost("certified-host");
      const known = at("authority");
      await writeFile(known, authority.replace("127.0.0.*", `[127.0.0.*]:${server.port}`));
      const heard: string[] = [];
      const options = { signal, note: (line: string) => heard.push(line) };
      const changes = { identityFiles: [ground.key], knownHostsFiles: [known] };
      await (await connect([await hop(changes, server)], options)).close();
      expect(heard[0]).toContain(`because ${known}:1 names a certificate authority`);
      await writeFile(
        known,
        `@cert-authority [127.0.0.*]:${server.port} ${await publicKey(ground.key)}\n`,
      );
      const { length } = await server.log();
      const error = await operatorError(connect([await hop(changes, server)], options));
      expect(error.kind).toBe("access");
      expect(error.message).toContain("the ssh program refuses the host key");
      expect((await server.log()).slice(length)).not.toMatch(/Accepted|Failed|authenticating user/);
    });
  });

  test("no common host key type: the server's are listed; with an authority the program is used", async () => {
    const key = await makeKey(at("only-certified"));
    const more = ["-I", "host", "-h", "-n", "127.0.0.89"];
    await run("ssh-keygen", ["-q", "-s", at("ca"), ...more, `${key}.pub`]);
    const server = await startSshd(ground, "only-certificates", {
      address: "127.0.0.89",
      settings: [
        `HostKey ${key}`,
        `HostCertificate ${key}-cert.pub`,
        "HostKeyAlgorithms ssh-ed25519-cert-v01@openssh.com",
      ],
    });
    const plain = await hop({ identityFiles: [ground.key] }, server);
    const error = await operatorError(connect([plain], { signal }));
    expect(error.message).toMatch(/no matching host key/);
    expect(error.details.join()).toContain(
      "the server's host key: ssh-ed25519-cert-v01@openssh.com",
    );
    const known = at("only-authority");
    await writeFile(
      known,
      `@cert-authority [127.0.0.89]:${server.port} ${await publicKey(at("ca"))}\n`,
    );
    await (await connect([{ ...plain, knownHostsFiles: [known] }], { signal })).close();
  });

  test("what a configuration cannot say is refused", async () => {
    for (const name of ['a"b', "a\nb", "a${HOME}", "a\\b"]) {
      const file = at(name);
      await copyFile(certified, file);
      await copyFile(`${certified}-cert.pub`, `${file}-cert.pub`);
      const error = await operatorError(
        connect([await hop({ identityFiles: [file] })], { signal }),
      );
      expect(error.message).toContain("cannot be handed to the ssh program");
    }
  });
});
