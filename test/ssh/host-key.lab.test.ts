import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../../src/ssh/connect.ts";
import type { Hop, HostKeyProof } from "../../src/ssh/route.ts";
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
  type TestGround,
  type TestSshd,
} from "./start-sshd.ts";
import { until } from "../support/until.ts";

const signal = new AbortController().signal;

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
  const keyOf = (index: number): string =>
    sshd.knownHosts[index]?.split(" ").slice(1).join(" ") ?? "";
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
    expect(error.next).toContain("lcops hosts trust several");
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
    expect(error.next).toContain("lcops hosts trust several");
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

  test.each([
    ["a wildcard", () => `[127.0.0.*]:${sshd.port}`],
    ["a list", () => `elsewhere,${name()}`],
    ["upper case and CRLF", () => `${name().toUpperCase()}`],
  ])("%s: connects", async (what, hosts) => {
    const end = what.includes("CRLF") ? "\r" : "";
    const file = await withKnownHosts(`# x${end}`, `${hosts()} ${keyOf(0)}${end}`);
    const hop = await hopTo(ground, sshd, "several", { knownHostsFiles: [file] });
    await (await connect([hop], { signal })).close();
  });

  test("a negated name is not known, whatever else fits", async () => {
    const file = await withKnownHosts(`[127.0.0.*]:*,!${name()} ${keyOf(0)}`);
    const hop = await hopTo(ground, sshd, "several", { knownHostsFiles: [file] });
    expect((await operatorError(connect([hop], { signal }))).message).toContain("is not known");
    await nothingSent();
  });

  test("a CA line is no match: the ssh program is to check, and refuses a plain key", async () => {
    const file = await withKnownHosts(`@cert-authority * ${keyOf(0)}`);
    const hop = await hopTo(ground, sshd, "several", { knownHostsFiles: [file] });
    const notes: string[] = [];
    const ask = {
      trustHostKey: () => Promise.resolve(true),
      passphrase: () => Promise.resolve(undefined),
    };
    const error = await operatorError(
      connect([hop], { signal, ask, note: (line) => notes.push(line) }),
    );
    expect(notes[0]).toContain(`through the ssh program, because ${file}:1 names a certificate`);
    expect(error.kind).toBe("access");
    expect(error.message).toContain("the ssh program refuses the host key");
    expect(error.next).toContain("lcops hosts trust several");
    await nothingSent();
  });

  test("two hosts under one alias: the second one has changed", async () => {
    const other = await startSshd(ground, "other", { address: "127.0.0.85" });
    const file = await withKnownHosts(`shared ${keyOf(0)}`);
    const changes = { knownHostsFiles: [file], hostKeyAlias: "shared" };
    await (await connect([await hopTo(ground, sshd, "several", changes)], { signal })).close();
    const error = await operatorError(
      connect([await hopTo(ground, other, "other", changes)], { signal }),
    );
    expect(error.message).toMatch(/^other \(127\.0\.0\.85:\d+\): the host key has changed/);
    expect(await other.log()).not.toMatch(/authenticating user|Accepted|Failed/);
  });

  test.each([
    ["a directory", () => ground.folder, "EISDIR"],
    ["below a file", () => join(ground.key, "known_hosts"), "ENOTDIR"],
  ])("known_hosts is %s: nobody is dialled", async (_what, file, code) => {
    const before = (await sshd.log()).length;
    const files = [await withKnownHosts(...sshd.knownHosts), file()];
    const hop = await hopTo(ground, sshd, "several", { knownHostsFiles: files });
    const ask = {
      trustHostKey: () => Promise.resolve(true),
      passphrase: () => Promise.resolve(""),
    };
    const error = await operatorError(connect([hop], { signal, ask }));
    expect(error.kind).toBe("access");
    expect(error.message).toContain(code);
    expect((await sshd.log()).length).toBe(before);
  });

  describe("of a machine that has an identity", () => {
    const ID = "i-0123456789abcdef0";
    const print = async (index: number, hash = "sha256"): Promise<string> => {
      const file = join(ground.folder, "several", `host_${["ed25519", "ecdsa", "rsa"][index]}.pub`);
      const { stdout } = await run("ssh-keygen", ["-l", "-E", hash, "-f", file]);
      return stdout.split(" ")[1] ?? "";
    };
    const voucher = async (index: number, hash?: string) => ({
      keyType: keyOf(index).split(" ")[0] ?? "",
      fingerprint: await print(index, hash),
      by: "the EC2 console",
    });
    interface Case {
      hop: Hop;
      own: string;
      user: string;
      asked: () => number;
    }
    const machine = async (
      stored: string[],
      known: string[] = [],
      proof: Partial<HostKeyProof> = {},
      launchedAt = "2026-11-22T10:00:00.000Z",
    ): Promise<Case> => {
      const own = join(ground.folder, `own-${Math.random()}`, "known_hosts");
      const user = await withKnownHosts(...known);
      if (stored.length > 0) {
        await mkdir(dirname(own));
        await writeFile(own, `${stored.join("\n")}\n`);
      }
      let asked = 0;
      const identity = {
        name: ID,
        knownHostsFile: own,
        launchedAt,
        proveHostKey: () => {
          asked += 1;
          return Promise.resolve({ vouchers: [], gaps: [], ...proof });
        },
      };
      const hop = await hopTo(ground, sshd, "several", { knownHostsFiles: [user], identity });
      return { hop, own, user, asked: () => asked };
    };
    const reach = async ({ hop }: Case): Promise<void> =>
      (await connect([hop], { signal })).close();
    const content = (file: string): Promise<string> => readFile(file, "utf8");

    test("its key is stored under its id, whatever its address was before", async () => {
      const at = await machine([`${ID} ${keyOf(0)}`], [`${name()} ${wrongKey}`]);
      await reach(at);
      expect(at.asked()).toBe(0);
      expect(await content(at.own)).toBe(`${ID} ${keyOf(0)}\n`);
    });

    test("another key under its id: changed, whatever else speaks for it", async () => {
      const at = await machine([`${ID} ${wrongKey}`], sshd.knownHosts, {
        vouchers: [await voucher(0)],
      });
      const error = await operatorError(reach(at));
      expect(error.kind).toBe("access");
      expect(error.message).toMatch(
        new RegExp(`^several \\(127\\.0\\.0\\.81:\\d+, ${ID}\\): the host key has changed`),
      );
      expect(error.details).toContain("launched:  2026-11-22T10:00:00.000Z");
      expect(at.asked()).toBe(0);
      await nothingSent();
    });

    test("unknown, with a recycled address, and nobody vouches: refused with the reasons", async () => {
      const gaps = ["ec2:GetConsoleOutput in eu-west-1: permission denied"];
      const at = await machine([], [`${name()} ${wrongKey}`], { gaps });
      const error = await operatorError(reach(at));
      expect(error.kind).toBe("access");
      expect(error.message).toContain("the host key is not known");
      expect(error.details).toEqual(gaps);
      await nothingSent();
    });

    test("just launched, and its console has nothing yet: refused for now, a tunnel tries again", async () => {
      const justNow = new Date(Date.now() - 60_000).toISOString();
      const error = await operatorError(reach(await machine([], [], {}, justNow)));
      expect(error.kind).toBe("unreachable");
      expect(error.message).toContain("the host key is not known yet");
      expect(error.next).toMatch(/^try again in a few minutes/);
      await nothingSent();
      // Who knows its other keys, and not this one, will not know it later either.
      const other = { ...(await voucher(0)), keyType: "ssh-dss" };
      const wary = await operatorError(
        reach(await machine([], [], { vouchers: [other] }, justNow)),
      );
      expect(wary.kind).toBe("access");
      await nothingSent();
    });

    test.each([
      [0, "sha256"],
      [1, "sha256"],
      [2, "sha256"],
      [2, "md5"],
    ] as const)(
      "type %i is proven by its %s: that type is negotiated, and stored",
      async (index, hash) => {
        const at = await machine([], [], { vouchers: [await voucher(index, hash)] });
        await reach(at);
        expect(await content(at.own)).toMatch(
          `${ID} ${keyOf(index)} several: verified by the EC2 console, 20`,
        );
        expect((await stat(at.own)).mode & 0o777).toBe(0o600);
        await reach(at);
        expect(at.asked()).toBe(1);
        expect(await content(at.user)).toBe("\n");
      },
    );

    test("the console has another key of that type: refused, nobody is asked", async () => {
      const forged = { ...(await voucher(0)), fingerprint: await print(1) };
      const at = await machine([], [], { vouchers: [forged, await voucher(2)] });
      let questions = 0;
      const ask = {
        trustHostKey: () => Promise.resolve((questions += 1) > 0),
        passphrase: () => Promise.resolve(undefined),
      };
      const error = await operatorError(connect([at.hop], { signal, ask }));
      expect(error.message).toContain("the host key is not the one of the machine");
      expect(error.details[1]).toBe(`the EC2 console knows: ssh-ed25519 ${forged.fingerprint}`);
      expect(questions).toBe(0);
      await expect(content(at.own)).rejects.toThrow("ENOENT");
      await nothingSent();
    });

    test("the console has other types alone: asked, with a warning; refused where nobody can be", async () => {
      const rsaOnly = await startSshd(ground, "rsa-only", { hostKeys: ["rsa"] });
      const at = await machine([], [], { vouchers: [await voucher(0), await voucher(1)] });
      const hop = { ...at.hop, address: rsaOnly.address, port: rsaOnly.port };
      const error = await operatorError(connect([hop], { signal }));
      expect(error.message).toContain("the host key is not known: ssh-rsa");
      expect(error.details).toEqual([
        "the EC2 console knows keys of the machine, of type ssh-ed25519, ecdsa-sha2-nistp256 and not ssh-rsa: be wary",
      ]);
    });

    test("a console that says two things of one type has proven nothing", async () => {
      const other = { ...(await voucher(0)), fingerprint: await print(1) };
      const at = await machine([], [], { vouchers: [await voucher(0), other] });
      expect((await operatorError(reach(at))).message).toContain("not the one of the machine");
    });

    test("known by its address: taken over under its id", async () => {
      const at = await machine([], sshd.knownHosts);
      await reach(at);
      expect(await content(at.own)).toMatch(`${ID} ${keyOf(0)} several: known by its address, 20`);
      await writeFile(at.user, "");
      await reach(at);
    });

    test("revoked by the user: refused, under its id and under its address", async () => {
      for (const line of [`@revoked * ${keyOf(0)}`, `@revoked ${name()} ${keyOf(0)}`]) {
        const at = await machine([`${ID} ${keyOf(0)}`], [line]);
        expect((await operatorError(reach(at))).message).toContain("is revoked");
        await nothingSent();
      }
    });

    test("asked on a terminal, with the reasons, and stored in lcops' own file", async () => {
      const at = await machine([], [], { gaps: ["the console\u001b[31m is empty"] });
      const questions: HostKeyQuestion[] = [];
      const ask = {
        trustHostKey: (question: HostKeyQuestion) => Promise.resolve(questions.push(question) > 0),
        passphrase: () => Promise.resolve(undefined),
      };
      await (await connect([at.hop], { signal, ask })).close();
      expect(questions).toMatchObject([
        { instanceId: ID, gaps: ["the console\\x1b[31m is empty"] },
      ]);
      expect(await content(at.own)).toContain(`${ID} ${keyOf(0)} several: trusted by the operator`);
      expect(await content(at.user)).toBe("\n");
    });

    test("an unreadable own file: nobody is dialled", async () => {
      const at = await machine([], sshd.knownHosts);
      await mkdir(at.own, { recursive: true });
      const before = (await sshd.log()).length;
      expect((await operatorError(reach(at))).message).toContain("EISDIR");
      expect((await sshd.log()).length).toBe(before);
    });

    test("six machines at once: no line is lost", async () => {
      const at = await machine([], sshd.knownHosts);
      const { identity } = at.hop;
      if (!identity) throw new Error("it has one");
      const ids = Array.from({ length: 6 }, (_, index) => `i-0000000000000000${index}`);
      await Promise.all(
        ids.map((id) => reach({ ...at, hop: { ...at.hop, identity: { ...identity, name: id } } })),
      );
      const lines = (await content(at.own)).trimEnd().split("\n");
      expect(new Set(lines.map((line) => line.split(" ")[0]))).toEqual(new Set(ids));
    });
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
