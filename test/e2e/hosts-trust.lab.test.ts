import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { writeConsole } from "../lab/aws/console-text.ts";
import {
  makeGround as makeServers,
  makeKey,
  publicKey,
  run,
  sshdMissing,
  startSshd,
  user,
  type TestGround,
  type TestSshd,
} from "../ssh/start-sshd.ts";
import { instanceId, makeAwsGround, type AwsGround } from "../support/aws-ground.ts";
import { openPty } from "../support/pty.ts";

const ID = instanceId(7);

describe.skipIf(sshdMissing)("lcops hosts trust", () => {
  let ground: AwsGround;
  let servers: TestGround;
  let sshd: TestSshd;
  let oldKey: string;
  let newKey: string;
  let own: string;
  let users: string;
  let logged: number;
  const name = (): string => `[${sshd.address}]:${sshd.port}`;

  beforeAll(async () => {
    servers = await makeServers();
    sshd = await startSshd(servers, "web", {
      address: "127.0.0.92",
      settings: ["LogLevel DEBUG1"],
    });
    oldKey = await publicKey(await makeKey(path.join(servers.folder, "before")));
    newKey = sshd.knownHosts[0]?.split(" ").slice(1).join(" ") ?? "";
    ground = await makeAwsGround();
    own = path.join(ground.environment["XDG_STATE_HOME"] ?? "", "lcops/known_hosts");
    users = path.join(ground.folder, "known_hosts");
    writeFileSync(
      path.join(ground.folder, "ssh_config"),
      `Host *\n User ${user}\n IdentityFile ${servers.key}\n IdentitiesOnly yes\n UserKnownHostsFile ${users}\n GlobalKnownHostsFile ${ground.folder}/global\n`,
    );
    const instance = { instanceId: ID, privateIpAddress: sshd.address, tags: { Name: "api" } };
    ground.endpoint.setInstances("eu-west-1", [instance]);
    ground.configure((config) => {
      const eip = { address: { eip: sshd.address }, port: sshd.port };
      config.hosts = {
        dev: { environment: "dev", ...eip },
        prod: { environment: "prod", ...eip },
        nowhere: eip,
        api: {
          environment: "prod",
          region: "eu-west-1",
          address: { dyn: { tags: { Name: "api" } } },
          use: "private",
          port: sshd.port,
        },
      };
    });
  });
  afterAll(async () => {
    await ground.remove();
    await servers.stop();
  });
  beforeEach(async () => {
    writeFileSync(users, `# mine\n${name()} ${oldKey} was here\nother ${oldKey}\n`);
    logged = (await sshd.log()).length;
  });

  const read = (file: string): string => readFileSync(file, "utf8");
  const print = async (key: string): Promise<string> => {
    const file = path.join(ground.folder, "printed");
    writeFileSync(file, `${key}\n`);
    return (await run("ssh-keygen", ["-l", "-f", file])).stdout.split(" ")[1] ?? "";
  };
  const accepted = (): string => `# mine\n${name()} ${newKey}\nother ${oldKey}\n`;
  const expectNoAuthentication = async (): Promise<void> => {
    const log = (await sshd.log()).slice(logged);
    expect(log).toContain("Connection from");
    expect(log).not.toContain("userauth-request");
  };

  test("--dry-run shows both keys and where the old one stands, and changes nothing", async () => {
    const before = read(users);
    const result = await ground.lcops("hosts", "trust", "dev", "--dry-run");
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(result.stdout.split("\n")).toEqual([
      `accept another host key of dev (127.0.0.92:${sshd.port})`,
      `  shown now: ssh-ed25519 ${await print(newKey)}`,
      `  stored:    ssh-ed25519 ${await print(oldKey)} (${users}:2)`,
      `  it is kept as ${name()} in ${users}`,
      expect.stringContaining("undoes it"),
      "",
    ]);
    expect(read(users)).toBe(before);
    await expectNoAuthentication();
  });

  test("without a terminal it needs --yes, in production --confirm NAME", async () => {
    const before = read(users);
    for (const [args, wanted] of [
      [["dev"], "--yes"],
      [["prod"], "--confirm prod"],
      [["prod", "--yes"], "--confirm prod"],
      [["prod", "--confirm", "dev"], "--confirm says dev"],
      [["nowhere", "--yes"], "--confirm nowhere"],
    ] as const) {
      const result = await ground.lcops("hosts", "trust", ...args);
      expect(result).toMatchObject({ code: 5, stdout: "" });
      expect(result.stderr).toContain(wanted);
    }
    expect(read(users)).toBe(before);
    await expectNoAuthentication();
  });

  test.each([
    ["dev", "--yes"],
    ["prod", "--confirm", "prod"],
  ])("%s %s: the line of that host is replaced, and the host reached", async (...args) => {
    expect((await ground.lcops("ssh", args[0], "--", "echo in")).code).toBe(255);
    expect(await ground.lcops("hosts", "trust", ...args)).toMatchObject({ code: 0, stdout: "" });
    expect(read(users)).toBe(accepted());
    await expectNoAuthentication();
    expect(await ground.lcops("ssh", args[0], "--", "echo in")).toMatchObject({
      code: 0,
      stderr: "",
    });
    const again = await ground.lcops("hosts", "trust", args[0], "-v");
    expect(again).toMatchObject({ code: 0, stdout: "" });
    expect(again.stderr).toContain("nothing to do");
    const history = JSON.parse((await ground.lcops("history", "--json")).stdout) as object[];
    expect(history.at(-1)).toMatchObject({
      change: expect.stringContaining(`${args[0]} (127.0.0.92:${sshd.port}): ssh-ed25519 SHA256:`),
      undo: { kind: "host-key", stored: [{ line: `${name()} ${oldKey}` }] },
      outcome: { state: "done" },
    });
  });

  test("on a terminal it shows both and asks; Enter means no", async () => {
    const ask = () =>
      openPty(["hosts", "trust", "prod"], { environment: ground.environment, columns: 200 });
    const pty = ask();
    await pty.waitFor(/This is production\. Go on\? .*y\/N/);
    expect(pty.text()).toContain(await print(oldKey));
    expect(pty.text()).toContain(await print(newKey));
    pty.press("enter");
    expect((await pty.exit).code).toBe(5);
    expect(read(users)).not.toContain(newKey);
    const second = ask();
    await second.waitFor("Go on?");
    second.type("y\r");
    expect((await second.exit).code).toBe(0);
    expect(read(users)).toBe(accepted());
  });

  test("hashed names are found, and the others stay as they are", async () => {
    await run("ssh-keygen", ["-H", "-f", users]);
    const [, , third] = read(users).split("\n");
    expect((await ground.lcops("hosts", "trust", "dev", "--yes")).code).toBe(0);
    expect(read(users).split("\n").slice(0, 3)).toEqual(["# mine", `${name()} ${newKey}`, third]);
  });

  test("an instance: lcops' own file, with its id, its launch and what the console says", async () => {
    const state = path.dirname(own);
    await run("mkdir", ["-p", state]);
    writeFileSync(own, `i-1 ${oldKey}\n${ID} ${oldKey} api: verified by the EC2 console\n`);
    const before = read(users);
    const hostKey = path.join(servers.folder, "web", "host_ed25519");
    ground.endpoint.setConsole(ID, { latest: writeConsole([hostKey]) });
    const plan = await ground.lcops("hosts", "trust", "api", "--dry-run");
    expect(plan.stdout).toContain(`api (127.0.0.92:${sshd.port}, ${ID})`);
    expect(plan.stdout).toContain("\n  launched:  20");
    expect(plan.stdout).toContain("\n  the EC2 console knows the key shown now\n");
    ground.endpoint.setConsole(ID, { latest: writeConsole([path.join(servers.folder, "before")]) });
    const warned = await ground.lcops("hosts", "trust", "api", "--dry-run");
    expect(warned.stdout).toContain(
      `the EC2 console knows another one: ssh-ed25519 ${await print(oldKey)}`,
    );
    expect((await ground.lcops("hosts", "trust", "api", "--confirm", "api")).code).toBe(0);
    expect(read(own)).toMatch(`i-1 ${oldKey}\n${ID} ${newKey} api: accepted by the operator, 20`);
    expect(read(users)).toBe(before);
    await expectNoAuthentication();
    expect(await ground.lcops("ssh", "api", "--", "echo in")).toMatchObject({ code: 0 });
  });

  test("an unknown host is trusted by the same words", async () => {
    writeFileSync(users, "");
    const result = await ground.lcops("hosts", "trust", "dev", "--yes", "--json");
    expect(JSON.parse(result.stdout)).toMatchObject({ host: "dev", state: "trusted", stored: [] });
    expect(read(users)).toBe(`${name()} ${newKey}\n`);
  });

  test("revoked, kept in a file of others, unreadable: refused", async () => {
    writeFileSync(users, `@revoked * ${newKey}\n${name()} ${oldKey}\n`);
    const revoked = await ground.lcops("hosts", "trust", "dev", "--yes");
    expect(revoked).toMatchObject({ code: 1, stdout: "" });
    expect(revoked.stderr).toContain("is revoked");

    const others = path.join(ground.folder, "global");
    writeFileSync(users, "");
    writeFileSync(others, `${name()} ${oldKey}\n`);
    const foreign = await ground.lcops("hosts", "trust", "dev", "--yes");
    expect(foreign).toMatchObject({ code: 5, stdout: "" });
    expect(foreign.stderr).toContain(`(${others}:1)`);
    expect([read(users), read(others)]).toEqual(["", `${name()} ${oldKey}\n`]);

    await run("rm", [others]);
    await run("mkdir", [others]);
    const { length } = await sshd.log();
    const unreadable = await ground.lcops("hosts", "trust", "dev", "--yes");
    expect(unreadable).toMatchObject({ code: 1, stdout: "" });
    expect(unreadable.stderr).toContain("EISDIR");
    expect((await sshd.log()).length).toBe(length);
    await run("rmdir", [others]);
  });
});
