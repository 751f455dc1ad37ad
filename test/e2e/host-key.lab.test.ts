import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect } from "vitest";
import {
  makeGround as makeServers,
  makeKey,
  publicKey,
  startSshd,
  type TestGround,
  type TestSshd,
} from "../ssh/start-sshd.ts";
import { makeGround, type Ground, type SshFiles } from "../support/ground.ts";
import { testWith } from "../support/lab.ts";
import { openPty, type Pty } from "../support/pty.ts";
import { runLcops, type LcopsResult } from "../support/run-lcops.ts";

let ground: Ground;
let servers: TestGround;
let sshd: TestSshd;
let fingerprintLine: string;
let changedKey: string;
beforeAll(async () => {
  ground = await makeGround();
  if (ground.lab.parts.some(({ name, state }) => name === "hosts" && state === "absent")) return;
  servers = await makeServers();
  // A server of its own, so that what its log says comes from here.
  sshd = await startSshd(servers, "stranger", { settings: ["LogLevel DEBUG1"] });
  fingerprintLine = `stranger (${sshd.address}) is not known. Its ssh-ed25519 key is SHA256:`;
  changedKey = await makeKey(`${ground.folder}/changed`);
});
afterAll(async () => {
  await servers?.stop();
  ground.remove();
});

interface Estate {
  config: string;
  files: SshFiles;
  /** What the server has logged since. */
  log: () => Promise<string>;
}

/** The stranger as the only host, and an operator who knows these keys. */
async function makeEstate(knownHosts: string[]): Promise<Estate> {
  const files = ground.writeSshConfig(knownHosts, servers.key);
  const localPort = await ground.pickPort();
  const config = ground.deriveConfig((changed) => {
    changed.ssh = { configFile: files.configFile };
    changed.hosts = { stranger: { address: { eip: sshd.address }, port: sshd.port } };
    delete changed.backups;
    changed.services = { own: { kind: "http", host: "stranger", port: 9, localPort } };
    changed.menu = [];
  });
  const { length } = await sshd.log();
  return { config, files, log: async () => (await sshd.log()).slice(length) };
}

const changedLine = async (): Promise<string> =>
  `[${sshd.address}]:${sshd.port} ${await publicKey(changedKey)}`;

const lcops = ({ config }: Estate, ...args: string[]): Promise<LcopsResult> =>
  runLcops(["--config", config, ...args], { environment: ground.environment });

const ask = ({ config }: Estate): Pty =>
  openPty(["--config", config, "ssh", "stranger", "--", "echo in"], {
    environment: ground.environment,
    columns: 200,
  });

/** The server saw a connection, and nobody who wanted to log in. */
async function expectNoAuthentication(estate: Estate): Promise<void> {
  const log = await estate.log();
  expect(log).toContain("Connection from");
  expect(log).not.toContain("userauth-request");
}

testWith("hosts")("a known host lets in, and its log tells of it", async () => {
  const estate = await makeEstate(sshd.knownHosts);
  expect(await lcops(estate, "ssh", "stranger", "--", "echo in")).toMatchObject({
    code: 0,
    stdout: "in\n",
    stderr: "",
  });
  expect(await estate.log()).toContain("userauth-request");
});

testWith("hosts")("an unknown key is refused where nobody can be asked", async () => {
  const estate = await makeEstate([]);
  for (const [args, code] of [
    [["ssh", "stranger", "--", "echo in"], 255],
    [["tunnel", "open", "own"], 1],
    [["tunnel", "open", "own", "--", "true"], 255],
  ] as const) {
    const result = await lcops(estate, ...args);
    expect(result).toMatchObject({ code, stdout: "" });
    expect(result.stderr).toMatch(/^lcops: .*stranger.*SHA256:.*; .+\n$/);
  }
  await expectNoAuthentication(estate);
  expect(readFileSync(estate.files.knownHostsFile, "utf8").trim()).toBe("");
});

testWith("hosts")("--no-input refuses an unknown key on a terminal too", async () => {
  const estate = await makeEstate([]);
  const pty = openPty(["--config", estate.config, "--no-input", "ssh", "stranger"], {
    environment: ground.environment,
    columns: 200,
  });
  expect((await pty.exit).code).toBe(255);
  expect(pty.text()).not.toContain("Trust it?");
  await expectNoAuthentication(estate);
});

testWith("hosts")("on a terminal an unknown key is asked about, and Enter means no", async () => {
  const estate = await makeEstate([]);
  const pty = ask(estate);
  await pty.waitFor(/Trust it\? .*y\/N/);
  expect(pty.text()).toContain(fingerprintLine);
  pty.press("enter");
  expect((await pty.exit).code).toBe(255);
  expect(pty.text()).not.toMatch(/^in$/m);
  await expectNoAuthentication(estate);
  expect(readFileSync(estate.files.knownHostsFile, "utf8").trim()).toBe("");
});

testWith("hosts")("Ctrl-C at the question leaves, and nothing is trusted", async () => {
  const estate = await makeEstate([]);
  const pty = ask(estate);
  await pty.waitFor("Trust it?");
  pty.press("ctrl-c");
  expect((await pty.exit).code).toBe(130);
  await expectNoAuthentication(estate);
});

testWith("hosts")("yes stores the key among the user's own, and is asked once", async () => {
  const others = "other.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ";
  const estate = await makeEstate([]);
  writeFileSync(estate.files.knownHostsFile, others);
  const pty = ask(estate);
  await pty.waitFor("Trust it?");
  pty.type("y\r");
  expect((await pty.exit).code).toBe(0);
  expect(pty.text()).toMatch(/^in$/m);
  expect(readFileSync(estate.files.knownHostsFile, "utf8").trim().split("\n")).toEqual([
    others,
    expect.stringContaining(sshd.knownHosts[0]?.split(" ").slice(1).join(" ") ?? "?"),
  ]);
  expect(await lcops(estate, "ssh", "stranger", "--", "echo in")).toMatchObject({
    code: 0,
    stdout: "in\n",
    stderr: "",
  });
});

testWith("hosts")(
  "a changed key is refused in a pipe and on a terminal, without a question",
  async () => {
    const estate = await makeEstate([await changedLine()]);
    const before = readFileSync(estate.files.knownHostsFile, "utf8");
    const result = await lcops(estate, "ssh", "stranger", "--", "echo in");
    expect(result).toMatchObject({ code: 255, stdout: "" });
    expect(result.stderr).toMatch(/^lcops: .*changed.*; .+\n/);
    expect((await lcops(estate, "tunnel", "open", "own")).code).toBe(1);
    const pty = ask(estate);
    expect((await pty.exit).code).toBe(255);
    expect(pty.text()).toContain("changed");
    expect(pty.text()).not.toContain("Trust it?");
    await expectNoAuthentication(estate);
    expect(readFileSync(estate.files.knownHostsFile, "utf8")).toBe(before);
  },
);
