import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { writeConsole, type ConsoleOptions } from "../lab/aws/console-text.ts";
import {
  makeGround as makeServers,
  makeKey,
  run,
  sshdMissing,
  startSshd,
  user,
  type TestGround,
  type TestSshd,
} from "../ssh/start-sshd.ts";
import { instanceId, makeAwsGround, type AwsGround } from "../support/aws-ground.ts";
import { openPty } from "../support/pty.ts";
import type { LcopsResult } from "../support/run-lcops.ts";

// The keys of instances, from the console to the refusal.
describe.skipIf(sshdMissing)("a machine that EC2 knows", () => {
  let ground: AwsGround;
  let servers: TestGround;
  let sshd: TestSshd;
  let wrong: string;
  let own: string;
  /** Each test has an instance that was never seen. */
  let id: string;
  let count = 0;
  let logged = 0;
  const keyFiles = (...kinds: string[]): string[] =>
    kinds.map((kind) => path.join(servers.folder, "api", `host_${kind}`));

  beforeAll(async () => {
    servers = await makeServers();
    sshd = await startSshd(servers, "api", {
      address: "127.0.0.91",
      hostKeys: ["ed25519", "ecdsa", "rsa"],
      settings: ["LogLevel DEBUG1"],
    });
    wrong = await makeKey(path.join(servers.folder, "wrong"));
    ground = await makeAwsGround();
    own = path.join(ground.environment["XDG_STATE_HOME"] ?? "", "lcops/known_hosts");
    const known = path.join(ground.folder, "known_hosts");
    writeFileSync(
      path.join(ground.folder, "ssh_config"),
      `Host *\n User ${user}\n IdentityFile ${servers.key}\n IdentitiesOnly yes\n UserKnownHostsFile ${known}\n GlobalKnownHostsFile /dev/null\n`,
    );
    ground.configure((config) => {
      config.hosts = {
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
    ground.endpoint.clearFaults();
    ground.endpoint.requests.length = 0;
    launch();
    writeFileSync(path.join(ground.folder, "known_hosts"), "");
    // With the memory of which instance it was.
    rmSync(path.dirname(own), { recursive: true, force: true });
    logged = (await sshd.log()).length;
  });

  const launch = (): void => {
    id = instanceId((count += 1));
    const instance = { instanceId: id, privateIpAddress: sshd.address, tags: { Name: "api" } };
    ground.endpoint.setInstances("eu-west-1", [instance]);
  };
  const show = (kinds: string[], options?: ConsoleOptions): string =>
    writeConsole(keyFiles(...kinds), options);
  const reach = (): Promise<LcopsResult> => ground.lcops("ssh", "api", "--", "echo in");
  const expectNoAuthentication = async (): Promise<void> => {
    const log = (await sshd.log()).slice(logged);
    expect(log).toContain("Connection from");
    expect(log).not.toContain("userauth-request");
  };
  const stored = (): string[] => readFileSync(own, "utf8").trimEnd().split("\n");

  test("is proven by its console, unattended and in silence, once; a replaced one again", async () => {
    ground.endpoint.setConsole(id, { latest: show(["ed25519", "rsa"]) });
    expect(await reach()).toEqual({ code: 0, signal: null, stdout: "in\n", stderr: "" });
    expect(await reach()).toMatchObject({ code: 0, stderr: "" });
    expect(ground.count("GetConsoleOutput")).toBe(1);
    expect(stored()).toEqual([
      expect.stringMatching(
        new RegExp(`^${id} ssh-ed25519 \\S+ api: verified by the EC2 console, \\d{4}-\\d\\d-`),
      ),
    ]);
    expect(statSync(own).mode & 0o777).toBe(0o600);
    expect(readFileSync(path.join(ground.folder, "known_hosts"), "utf8")).toBe("");
    // ssh itself reads that file.
    const found = await run("ssh-keygen", ["-F", id, "-f", own]);
    expect(found.stdout).toContain(`Host ${id} found: line 1`);

    // The same name and address, another machine.
    const before = id;
    launch();
    ground.endpoint.setConsole(id, { latest: show(["ed25519"]) });
    const after = await reach();
    expect(after).toMatchObject({ code: 0, stdout: "in\n" });
    expect(after.stderr).toContain(`same name, other instance: ${id}`);
    expect(stored().map((line) => line.split(" ")[0])).toEqual([before, id]);
  });

  test.each([
    ["of a type without newest output", () => ({ output: show(["ed25519"]) })],
    ["that has lost its beginning by now", () => ({ latest: "\n", output: show(["ecdsa"]) })],
    [
      "of an old image (MD5)",
      () => ({ output: show(["rsa"], { hash: "md5", blocks: ["fingerprints"] }) }),
    ],
    ["with keys alone", () => ({ latest: show(["ecdsa"], { blocks: ["keys"] }) })],
  ])("a console %s proves it", async (_what, shown) => {
    ground.endpoint.setConsole(id, shown());
    expect(await reach()).toEqual({ code: 0, signal: null, stdout: "in\n", stderr: "" });
  });

  test("OpsWorks' fingerprint proves it, of the RSA key", async () => {
    const { stdout } = await run("ssh-keygen", [
      "-l",
      "-E",
      "md5",
      "-f",
      `${keyFiles("rsa")[0]}.pub`,
    ]);
    const SshHostRsaKeyFingerprint = stdout.split(" ")[1]?.replace("MD5:", "");
    const instance = { InstanceId: "x", Hostname: "api", LayerIds: [], Ec2InstanceId: id };
    ground.endpoint.setStacks("eu-west-1", [
      {
        StackId: "s",
        Name: "prod",
        layers: [],
        instances: [{ ...instance, SshHostRsaKeyFingerprint }],
      },
    ]);
    const setOpsWorks = (opsworks: boolean): void =>
      ground.configure((config) => {
        if (config.environments?.["prod"]?.aws) config.environments["prod"].aws.opsworks = opsworks;
      });
    setOpsWorks(true);
    const result = await reach();
    setOpsWorks(false);
    expect(result).toEqual({ code: 0, signal: null, stdout: "in\n", stderr: "" });
    expect(stored()[0]).toMatch(new RegExp(`^${id} ssh-rsa \\S+ api: verified by OpsWorks, `));
  });

  test("a console with another key of that type: refused, and nobody is asked", async () => {
    ground.endpoint.setConsole(id, { latest: writeConsole([wrong]) });
    const pty = openPty(["ssh", "api", "--", "echo in"], {
      environment: ground.environment,
      columns: 200,
    });
    expect((await pty.exit).code).toBe(255);
    expect(pty.text()).toContain("the host key is not the one of the machine");
    expect(pty.text()).not.toContain("Trust it?");
    await expectNoAuthentication();
  });

  test.each([
    ["shows no keys", undefined, "the EC2 console shows no host keys"],
    [
      "is not allowed",
      { kind: "denied", action: "GetConsoleOutput" } as const,
      "ec2:GetConsoleOutput in eu-west-1 (profile prod): permission denied (UnauthorizedOperation); have ec2:GetConsoleOutput allowed for it",
    ],
    [
      "does not answer",
      { kind: "hang", action: "GetConsoleOutput" } as const,
      "ec2:GetConsoleOutput in eu-west-1: no answer within 5 s",
    ],
  ])("a console that %s: refused with the reason", async (_what, fault, reason) => {
    if (fault) ground.endpoint.fault(fault);
    const result = await reach();
    expect(result).toMatchObject({ code: 255, stdout: "" });
    expect(result.stderr).toMatch(
      new RegExp(
        `^lcops: api \\(127.0.0.91:\\d+, ${id}\\): the host key is not known: ssh-ed25519 SHA256:`,
      ),
    );
    expect(result.stderr).toContain(`\n  ${reason}`);
    await expectNoAuthentication();
  });

  test("a throttled question is asked again", async () => {
    ground.endpoint.fault({ kind: "throttle", action: "GetConsoleOutput", times: 1 });
    ground.endpoint.setConsole(id, { latest: show(["ed25519"]) });
    expect(await reach()).toMatchObject({ code: 0, stdout: "in\n", stderr: "" });
  });

  test("on a terminal it is asked about, with its id and the reason; no is the default", async () => {
    const ask = () =>
      openPty(["ssh", "api", "--", "echo in"], { environment: ground.environment, columns: 200 });
    const pty = ask();
    await pty.waitFor(/Trust it\? .*y\/N/);
    expect(pty.text()).toContain("the EC2 console shows no host keys");
    expect(pty.text()).toContain(
      `api (127.0.0.91, ${id}) is not known. Its ssh-ed25519 key is SHA256:`,
    );
    pty.press("enter");
    expect((await pty.exit).code).toBe(255);
    await expectNoAuthentication();
    const second = ask();
    await second.waitFor("Trust it?");
    second.type("y\r");
    expect((await second.exit).code).toBe(0);
    expect(stored()[0]).toContain(`${id} ssh-ed25519 `);
  });

  test("the same instance with another key: refused, in a pipe and on a terminal", async () => {
    ground.endpoint.setConsole(id, { latest: show(["ed25519"]) });
    await reach();
    const key = readFileSync(`${wrong}.pub`, "utf8").split(" ").slice(0, 2).join(" ");
    writeFileSync(own, `${id} ${key}\n`);
    logged = (await sshd.log()).length;
    const result = await reach();
    expect(result).toMatchObject({ code: 255, stdout: "" });
    expect(result.stderr).toMatch(/^lcops: api .*the host key has changed/);
    const pty = openPty(["ssh", "api"], { environment: ground.environment, columns: 200 });
    expect((await pty.exit).code).toBe(255);
    expect(pty.text()).not.toContain("Trust it?");
    await expectNoAuthentication();
    expect(readFileSync(own, "utf8")).toBe(`${id} ${key}\n`);
  });
});
