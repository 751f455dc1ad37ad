import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../../src/ssh/connect.ts";
import type { HostKeyQuestion } from "../../src/ssh/verify-host-key.ts";
import {
  collect,
  hopTo,
  makeGround,
  makeKey,
  operatorError,
  publicKey,
  run,
  sshdMissing,
  startSshd,
  until,
  type TestGround,
  type TestSshd,
} from "./start-sshd.ts";

const signal = new AbortController().signal;

// d18, d19
describe.skipIf(sshdMissing)("host keys of a real server", () => {
  let ground: TestGround;
  let sshd: TestSshd;
  let wrongKey: string;
  beforeAll(async () => {
    ground = await makeGround();
    sshd = await startSshd(ground, "several", { hostKeys: ["ed25519", "ecdsa", "rsa"] });
    wrongKey = await publicKey(await makeKey(join(ground.folder, "wrong")));
  });
  afterAll(() => ground.stop());

  const withKnownHosts = async (...lines: string[]): Promise<string> => {
    const file = join(ground.folder, `kh-${Math.random()}`);
    await writeFile(file, `${lines.join("\n")}\n`);
    return file;
  };
  const name = (): string => `[${sshd.address}]:${sshd.port}`;
  const nothingSent = async (): Promise<void> => {
    const lastConnection = async (): Promise<string> =>
      (await sshd.log()).split("Connection from").at(-1) ?? "";
    await until("the server notices the end", async () =>
      /Connection (closed|reset) by|Received disconnect|fatal:/.test(await lastConnection()),
    );
    // sshd names the user in the line of the end once it has seen an authentication request.
    expect(await lastConnection()).not.toMatch(/Accepted|Failed|Postponed|authenticating user/);
  };

  test("known: connects", async () => {
    const connection = await connect([await hopTo(ground, sshd, "several")], { signal });
    expect(connection.isOpen()).toBe(true);
    await connection.close();
    expect(connection.isOpen()).toBe(false);
    expect(await connection.closed).toBeUndefined();
  });

  test.each([0, 1, 2])(
    "only one of three types is stored: type %i is negotiated",
    async (index) => {
      const file = await withKnownHosts(sshd.knownHosts[index] ?? "");
      const connection = await connect(
        [await hopTo(ground, sshd, "several", { knownHostsFiles: [file] })],
        { signal },
      );
      await connection.close();
    },
  );

  test("hashed by ssh-keygen: connects", async () => {
    const file = await withKnownHosts(...sshd.knownHosts);
    await run("ssh-keygen", ["-H", "-f", file]);
    await (
      await connect([await hopTo(ground, sshd, "several", { knownHostsFiles: [file] })], { signal })
    ).close();
  });

  test("unknown without a terminal: refused before anything is sent", async () => {
    const error = await operatorError(
      connect(
        [await hopTo(ground, sshd, "several", { knownHostsFiles: [await withKnownHosts()] })],
        { signal },
      ),
    );
    expect(error.kind).toBe("access");
    expect(error.message).toMatch(
      /^several \(127\.0\.0\.81:\d+\): the host key is not known: ssh-ed25519 SHA256:/,
    );
    expect(error.next).toContain("ssh-keyscan");
    await nothingSent();
  });

  test("unknown on a terminal: asked, stored, not asked again; the timer stands still", async () => {
    const file = await withKnownHosts("# mine");
    const hop = await hopTo(ground, sshd, "several", { knownHostsFiles: [file] });
    const questions: HostKeyQuestion[] = [];
    const ask = {
      trustHostKey: async (question: HostKeyQuestion) => {
        questions.push(question);
        await wait(1200);
        return true;
      },
      passphrase: () => Promise.resolve(undefined),
    };
    await (await connect([hop], { signal, ask, connectTimeoutMs: 1000 })).close();
    expect(questions).toMatchObject([
      { host: "several", address: sshd.address, port: sshd.port, keyType: "ssh-ed25519" },
    ]);
    const printed = await run("ssh-keygen", [
      "-l",
      "-f",
      join(ground.folder, "several", "host_ed25519.pub"),
    ]);
    expect(printed.stdout).toContain(questions[0]?.fingerprint);
    expect(await readFile(file, "utf8")).toBe(`# mine\n${sshd.knownHosts[0]}\n`);
    await (await connect([hop], { signal, ask })).close();
    expect(questions).toHaveLength(1);
  });

  test("unknown and not trusted: refused, nothing stored, nothing sent", async () => {
    const file = await withKnownHosts();
    const ask = {
      trustHostKey: () => Promise.resolve(false),
      passphrase: () => Promise.resolve(undefined),
    };
    const error = await operatorError(
      connect([await hopTo(ground, sshd, "several", { knownHostsFiles: [file] })], { signal, ask }),
    );
    expect(error.message).toContain("was not trusted");
    expect(await readFile(file, "utf8")).toBe("\n");
    await nothingSent();
  });

  test("changed: refused, even when somebody could be asked", async () => {
    const file = await withKnownHosts("# first", `${name()} ${wrongKey}`);
    const ask = {
      trustHostKey: () => Promise.resolve(true),
      passphrase: () => Promise.resolve(undefined),
    };
    const error = await operatorError(
      connect([await hopTo(ground, sshd, "several", { knownHostsFiles: [file] })], { signal, ask }),
    );
    expect(error.kind).toBe("access");
    expect(error.message).toContain("the host key has changed");
    expect(error.details[0]).toMatch(/^shown now: ssh-ed25519 SHA256:/);
    expect(error.details[1]).toContain(`(${file}:2)`);
    expect(error.next).toContain(`ssh-keygen -R '${name()}' -f '${file}'`);
    await nothingSent();
  });

  test("revoked: refused", async () => {
    const key = sshd.knownHosts[0]?.split(" ").slice(1).join(" ");
    const file = await withKnownHosts(...sshd.knownHosts, `@revoked * ${key}`);
    const error = await operatorError(
      connect([await hopTo(ground, sshd, "several", { knownHostsFiles: [file] })], { signal }),
    );
    expect(error.message).toContain("revoked");
    await nothingSent();
  });

  test("an unreadable store refuses before anybody is dialled", async () => {
    const before = await sshd.log();
    const error = await operatorError(
      connect([await hopTo(ground, sshd, "several", { knownHostsFiles: [ground.folder] })], {
        signal,
      }),
    );
    expect(error.message).toContain("EISDIR");
    expect(await sshd.log()).toBe(before);
  });

  test("the server renews its keys: asked once", async () => {
    const rekeying = await startSshd(ground, "rekeying", { settings: ["RekeyLimit 256K"] });
    const questions: HostKeyQuestion[] = [];
    const ask = {
      trustHostKey: (question: HostKeyQuestion) => Promise.resolve(questions.push(question) > 0),
      passphrase: () => Promise.resolve(undefined),
    };
    const hop = await hopTo(ground, rekeying, "rekeying", {
      knownHostsFiles: [await withKnownHosts()],
    });
    const connection = await connect([hop], { signal, ask });
    const stdout = collect();
    expect(
      await connection.execute("head -c 3000000 /dev/zero", { stdout, stderr: collect() }),
    ).toEqual({ code: 0 });
    expect(stdout.sizeBytes()).toBe(3_000_000);
    expect(questions).toHaveLength(1);
    await connection.close();
  });
});
