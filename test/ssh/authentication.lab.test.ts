import { spawn } from "node:child_process";
import { mkdir, chmod, copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../../src/ssh/connect.ts";
import type { Hop } from "../../src/ssh/route.ts";
import type { Ask } from "../../src/ssh/shake-hands.ts";
import { startAgentBefore, startFakeAgent } from "./fake-agent.ts";
import { writePuttyKey } from "./putty-key.ts";
import {
  hopTo,
  makeGround,
  makeKey,
  operatorError,
  publicKey,
  run,
  sshdMissing,
  startSshd,
  stopChild,
  user,
  type TestGround,
  type TestSshd,
} from "./start-sshd.ts";
import { until } from "../support/until.ts";

const signal = new AbortController().signal;

describe.skipIf(sshdMissing)("authentication", () => {
  let ground: TestGround;
  let sshd: TestSshd;
  let encrypted: string;
  let agentOnly: string;
  let ecdsa: string;
  let rsa: string;
  const at = (name: string): string => join(ground.folder, name);

  beforeAll(async () => {
    ground = await makeGround();
    [encrypted, agentOnly, ecdsa, rsa] = await Promise.all([
      makeKey(at("encrypted"), "ed25519", "open sesame"),
      makeKey(at("agent-only")),
      makeKey(at("ecdsa"), "ecdsa"),
      makeKey(at("rsa"), "rsa", "open sesame", "-m", "PEM"),
    ]);
    sshd = await startSshd(ground, "sshd", { keys: [encrypted, agentOnly, ecdsa, rsa] });
  });
  afterAll(() => ground.stop());

  const startAgent = async (name: string, ...keys: string[]): Promise<string> => {
    const socket = at(`${name}.sock`);
    const child = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
    ground.onStop(() => stopChild(child));
    const env = { ...process.env, SSH_AUTH_SOCK: socket, DISPLAY: "", SSH_ASKPASS: "/bin/false" };
    await until("the agent answers", () =>
      run("ssh-add", ["-l"], { env }).then(
        () => true,
        (error: { code?: number }) => error.code === 1,
      ),
    );
    for (const key of keys) await run("ssh-add", ["-q", key], { env });
    return socket;
  };
  const logIn = async (changes: Partial<Hop>, ask?: Ask): Promise<void> => {
    const hop = await hopTo(ground, sshd, "sshd", changes);
    await (await connect([hop], { signal, ...(ask && { ask }) })).close();
  };
  const answer = (passphrase: string | undefined, asked: string[] = []): Ask => ({
    trustHostKey: () => Promise.resolve(false),
    passphrase: (file) => {
      asked.push(file);
      return Promise.resolve(passphrase);
    },
  });

  test("no agent, no key", async () => {
    const error = await operatorError(logIn({ identityFiles: [at("missing")] }));
    expect(error.kind).toBe("access");
    expect(error.message).toContain(
      `does not let ${user} in: no key could be offered; it accepts publickey`,
    );
  });

  test("a dead agent harms nothing, and is named when nothing else helps", async () => {
    const agentSocket = at("dead.sock");
    await logIn({ agentSocket });
    const error = await operatorError(logIn({ agentSocket, identityFiles: [] }));
    expect(error.details.join()).toContain(`not usable: agent ${agentSocket}: connect ENOENT`);
  });

  test("an agent that never answers holds nothing up for long", async () => {
    const agentSocket = at("hanging.sock");
    const server = createServer((socket) => socket.on("error", () => {}));
    await new Promise<void>((resolve) => server.listen(agentSocket, resolve));
    const started = performance.now();
    await logIn({ agentSocket });
    expect(performance.now() - started).toBeLessThan(4000);
    server.close();
  });

  test("a locked agent is named as one without keys", async () => {
    const agentSocket = await startAgent("locked", agentOnly);
    const askpass = at("askpass");
    await writeFile(askpass, "#!/bin/sh\necho secret\n", { mode: 0o700 });
    const env = {
      ...process.env,
      SSH_AUTH_SOCK: agentSocket,
      SSH_ASKPASS: askpass,
      SSH_ASKPASS_REQUIRE: "force",
      DISPLAY: ":0",
    };
    await run("ssh-add", ["-x"], { env });
    const error = await operatorError(logIn({ agentSocket, identityFiles: [] }));
    expect(error.details).toEqual([
      `not usable: agent ${agentSocket}: it shows no keys; it may be locked (ssh-add -X)`,
    ]);
    await logIn({ agentSocket });
    await run("ssh-add", ["-X"], { env });
    await logIn({ agentSocket, identityFiles: [] });
  });

  test("an agent that refuses to sign: the next key is tried, and the reason told", async () => {
    const agentSocket = at("refusing.sock");
    const blob = Buffer.from((await publicKey(agentOnly)).split(" ")[1] ?? "", "base64");
    const { asked } = await startFakeAgent(ground, agentSocket, [{ blob, comment: "mine" }]);
    const error = await operatorError(logIn({ agentSocket, identityFiles: [] }));
    expect(asked).toContain(13);
    expect(error.message).toContain("no key could be offered");
    expect(error.details).toEqual([
      expect.stringMatching(/^not usable: agent key mine \(SHA256:.*\): /),
    ]);
    await logIn({ agentSocket });
  });

  test("a key that is taken out of the agent before it signs", async () => {
    const agentSocket = await startAgent("emptied", agentOnly);
    const before = at("before-emptied.sock");
    const env = { ...process.env, SSH_AUTH_SOCK: agentSocket };
    await startAgentBefore(ground, before, agentSocket, () => run("ssh-add", ["-D"], { env }));
    const error = await operatorError(logIn({ agentSocket: before, identityFiles: [] }));
    expect(error.details).toEqual([expect.stringContaining("not usable: agent key agent-only (")]);
  });

  test("a key that is only in the agent", async () => {
    await logIn({ agentSocket: await startAgent("one", agentOnly), identityFiles: [] });
  });

  test.each(["ecdsa", "rsa"])("the agent signs with %s", async (name) => {
    const key = await makeKey(at(`agent-${name}`), name === "rsa" ? "rsa" : "ecdsa");
    const own = await startSshd(ground, `agent-${name}-server`, { keys: [key] });
    const agentSocket = await startAgent(name, key);
    await (
      await connect([await hopTo(ground, own, name, { agentSocket, identityFiles: [] })], {
        signal,
      })
    ).close();
  });

  test("eight wrong keys in the agent: the named one goes first", async () => {
    const wrong = await Promise.all(
      Array.from({ length: 8 }, (_, index) => makeKey(at(`wrong-${index}`))),
    );
    const agentSocket = await startAgent("eight", ...wrong, agentOnly);
    await logIn({ agentSocket, identityFiles: [agentOnly], identitiesOnly: true });
    await logIn({ agentSocket, identityFiles: [agentOnly] });
    // Only the agent has the private half.
    await copyFile(`${agentOnly}.pub`, at("half.pub"));
    await logIn({ agentSocket, identityFiles: [at("half")], identitiesOnly: true });
    await logIn({ agentSocket, identityFiles: [at("half.pub")], identitiesOnly: true });
    const error = await operatorError(logIn({ agentSocket, identityFiles: [] }));
    expect(error.message).toContain("5 refused");
    expect(error.details).toHaveLength(6);
    expect(error.details[0]).toMatch(/^refused: agent key wrong-0 \(SHA256:/);
    expect(error.details[5]).toContain("not offered: 4 more");
    expect(error.next).toContain("IdentitiesOnly yes");
    const filtered = await operatorError(
      logIn({ agentSocket, identityFiles: [at("wrong-3")], identitiesOnly: true }),
    );
    expect(filtered.details).toHaveLength(1);
  });

  test("the key that let in the last time is offered first, behind those that are named", async () => {
    const wrong = await Promise.all(
      Array.from({ length: 8 }, (_, index) => makeKey(at(`other-${index}`))),
    );
    const stateFolder = at("state");
    const offered = async (changes: Partial<Hop>, folder = stateFolder): Promise<string[]> => {
      const lines: string[] = [];
      const hop = await hopTo(ground, sshd, "sshd", changes);
      await (
        await connect([hop], { signal, stateFolder: folder, log: (line) => lines.push(line) })
      ).close();
      return lines.flatMap((line) => /: offering (?:agent key )?(\S+)/.exec(line)?.[1] ?? []);
    };
    const small = await startAgent("small", agentOnly);
    expect(await offered({ agentSocket: small, identityFiles: [] })).toEqual(["agent-only"]);
    const agentSocket = await startAgent("large", ...wrong, agentOnly);
    expect(await offered({ agentSocket, identityFiles: [] })).toEqual(["agent-only"]);
    expect(await offered({ agentSocket, identityFiles: [wrong[7] ?? ""] })).toEqual([
      "other-7",
      "agent-only",
    ]);
    // A file, too, and what cannot be read is nothing.
    expect(await offered({ identityFiles: [agentOnly] })).toEqual([agentOnly]);
    // A folder of its own: the last connection may still be writing into the other one.
    const damaged = at("damaged");
    await mkdir(join(damaged, "identities"), { recursive: true });
    await writeFile(join(damaged, "identities", `${user}%40sshd.json`), "{");
    const error = await operatorError(offered({ agentSocket, identityFiles: [] }, damaged));
    expect(error.details[5]).toContain("not offered: 4 more");
  });

  test("a key file that others may read is not used", async () => {
    const open = at("open");
    await copyFile(ground.key, open);
    await chmod(open, 0o644);
    const error = await operatorError(logIn({ identityFiles: [open] }));
    expect(error.details).toEqual([
      `not usable: ${open}: permissions 0644 are too open (chmod 600)`,
    ]);
    await logIn({ identityFiles: [open, ground.key] });
  });

  test("an encrypted key: asked once, and only when the server wants it", async () => {
    const asked: string[] = [];
    await logIn({ identityFiles: [encrypted] }, answer("open sesame", asked));
    expect(asked).toEqual([encrypted]);
    const unwanted = await makeKey(at("unwanted"), "ed25519", "secret");
    await operatorError(logIn({ identityFiles: [unwanted] }, answer("secret", asked)));
    expect(asked).toHaveLength(1);
  });

  test("an old PEM key whose public half is unknown: asked before it is offered", async () => {
    await rm(`${rsa}.pub`);
    await logIn({ identityFiles: [rsa] }, answer("open sesame"));
  });

  test.each([
    ["wrong", answer("wrong"), "wrong passphrase"],
    ["none given", answer(undefined), "no passphrase was given"],
    ["nobody to ask", undefined, "no passphrase was given"],
  ])("passphrase %s", async (_name, ask, reason) => {
    const error = await operatorError(logIn({ identityFiles: [encrypted] }, ask));
    expect(error.details).toEqual([expect.stringContaining(`not usable: ${encrypted}: `)]);
    expect(error.details[0]).toContain(reason);
    // The next key is still tried.
    await logIn({ identityFiles: [encrypted, ecdsa] }, ask);
  });

  test("the agent has the encrypted key: nobody is asked", async () => {
    const plain = at("encrypted-plain");
    await copyFile(encrypted, plain);
    await chmod(plain, 0o600);
    await run("ssh-keygen", ["-q", "-p", "-P", "open sesame", "-N", "", "-f", plain]);
    const asked: string[] = [];
    await logIn(
      { agentSocket: await startAgent("holds", plain), identityFiles: [encrypted] },
      answer(undefined, asked),
    );
    expect(asked).toEqual([]);
  });

  test("a public key where a private one belongs, and a file that is no key", async () => {
    const noKey = at("no-key");
    await writeFile(noKey, "nothing", { mode: 0o600 });
    const error = await operatorError(logIn({ identityFiles: [`${ground.key}.pub`, noKey] }));
    expect(error.details).toEqual([
      `not usable: ${ground.key}.pub: holds a public key, not a private one`,
      `not usable: ${noKey}: cannot be used: Unsupported key format`,
    ]);
  });

  test("PuTTY's format of version 2 is used, the one of version 3 is named", async () => {
    const key = await makeKey(at("for-putty"), "rsa", "", "-m", "PEM");
    const own = await startSshd(ground, "putty-server", { keys: [key] });
    const ppk = at("key.ppk");
    const text = await writePuttyKey(key);
    await writeFile(ppk, text, { mode: 0o600 });
    const hop = await hopTo(ground, own, "putty", { identityFiles: [ppk] });
    await (await connect([hop], { signal })).close();
    await writeFile(ppk, text.replace("File-2", "File-3"), { mode: 0o600 });
    const error = await operatorError(connect([hop], { signal }));
    expect(error.details).toEqual([`not usable: ${ppk}: cannot be used: Unsupported key format`]);
  });

  test("old PEM without a passphrase", async () => {
    const pem = await makeKey(at("old-pem"), "rsa", "", "-m", "PEM");
    expect(await readFile(pem, "utf8")).toContain("BEGIN RSA PRIVATE KEY");
    const own = await startSshd(ground, "old-pem-server", { keys: [pem] });
    const hop = await hopTo(ground, own, "old-pem", { identityFiles: [pem] });
    await (await connect([hop], { signal })).close();
  });

  test("a server that takes no keys", async () => {
    const own = await startSshd(ground, "no-keys", {
      settings: ["PubkeyAuthentication no", "KbdInteractiveAuthentication yes"],
    });
    const error = await operatorError(connect([await hopTo(ground, own, "no-keys")], { signal }));
    expect(error.message).toContain("no key could be offered; it accepts keyboard-interactive");
  });

  test("a server that hangs up after one try", async () => {
    const own = await startSshd(ground, "impatient", { settings: ["MaxAuthTries 1"] });
    const wrong = await makeKey(at("impatient-wrong"));
    const error = await operatorError(
      connect([await hopTo(ground, own, "impatient", { identityFiles: [wrong] })], { signal }),
    );
    expect(error.kind).toBe("access");
    expect(error.message).toContain("after too many keys");
  });
});
