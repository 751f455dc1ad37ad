import { appendFileSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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
import { until } from "../support/until.ts";
import { makeGround, type Ground } from "../support/ground.ts";
import { openPty } from "../support/pty.ts";
import { runLcops, startLcops, type LcopsResult } from "../support/run-lcops.ts";

// These hosts accept only a certificate, which ssh2 cannot use.
describe.skipIf(sshdMissing)("where only a certificate is authorised", () => {
  let ground: Ground;
  let servers: TestGround;
  let bastion: TestSshd;
  let inner: TestSshd;
  let site: Server;
  let config: string;

  beforeAll(async () => {
    ground = await makeGround();
    servers = await makeServers();
    const ca = await makeKey(path.join(servers.folder, "ca"));
    const key = await makeKey(path.join(servers.folder, "certified"));
    await run("ssh-keygen", ["-q", "-s", ca, "-I", "me", "-n", user, `${key}.pub`]);
    const settings = { settings: [`TrustedUserCAKeys ${ca}.pub`] };
    bastion = await startSshd(servers, "bastion", { address: "127.0.0.94", ...settings });
    inner = await startSshd(servers, "inner", { address: "127.0.0.95", ...settings });
    site = createServer((_request, response) => response.end("the site"));
    await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
    const files = ground.writeSshConfig([...bastion.knownHosts, ...inner.knownHosts], key);
    // lcops neither reads nor joins a shared connection.
    const shared = path.join(ground.folder, "shared-%C");
    appendFileSync(files.configFile, `  ControlMaster auto\n  ControlPath ${shared}\n`);
    const localPort = await ground.pickPort();
    config = ground.deriveConfig((changed) => {
      changed.ssh = { configFile: files.configFile };
      const at = (sshd: TestSshd) => ({ address: { eip: sshd.address }, port: sshd.port });
      changed.hosts = { bastion: at(bastion), inner: { ...at(inner), jump: ["bastion"] } };
      const { port } = site.address() as AddressInfo;
      delete changed.backups;
      changed.services = { site: { kind: "http", host: "inner", port, localPort, path: "/" } };
      changed.menu = [];
    });
  });
  afterAll(async () => {
    site?.close();
    await servers?.stop();
    ground?.remove();
  });

  const lcops = (...args: string[]): Promise<LcopsResult> =>
    runLcops(["--config", config, ...args], { environment: ground.environment });
  const programs = (): string[] =>
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        try {
          const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
          return /lcops-ssh-\d+-/.test(line) &&
            readFileSync(`/proc/${pid}/environ`, "utf8").includes(ground.folder)
            ? [line]
            : [];
        } catch {
          return [];
        }
      });

  test.each(["bastion", "inner"])("lcops ssh %s runs a command, silently", async (host) => {
    expect(await lcops("ssh", host, "--", "echo in; exit 4")).toEqual({
      code: 4,
      signal: null,
      stdout: "in\n",
      stderr: "",
    });
    expect(readdirSync(ground.folder).filter((name) => name.startsWith("shared"))).toEqual([]);
    const told = await lcops("ssh", host, "-v", "--", "true");
    expect(told.stderr).toMatch(/through the ssh program, because \S+-cert\.pub is a certificate/);
    await until("the programs are gone", () => programs().length === 0);
  });

  test("lcops ssh opens a shell on a terminal, and says how", async () => {
    const pty = openPty(["--config", config, "ssh", "inner"], {
      environment: ground.environment,
      columns: 93,
      rows: 21,
    });
    await pty.waitFor("through the ssh program");
    pty.type("stty size; echo $((40 + 2))\r");
    await pty.waitFor(/21 93[^]*42/);
    pty.type("exit 6\r");
    expect((await pty.exit).code).toBe(6);
  });

  test("what the key needs is asked for on the terminal, by the program", async () => {
    const encrypted = path.join(servers.folder, "encrypted");
    await makeKey(encrypted, "ed25519", "open sesame");
    const ca = path.join(servers.folder, "ca");
    await run("ssh-keygen", ["-q", "-s", ca, "-I", "me", "-n", user, `${encrypted}.pub`]);
    const files = ground.writeSshConfig(bastion.knownHosts, encrypted);
    const own = ground.deriveConfig((changed) => {
      changed.ssh = { configFile: files.configFile };
      changed.hosts = { bastion: { address: { eip: bastion.address }, port: bastion.port } };
      delete changed.backups;
      changed.services = {};
      changed.menu = [];
    });
    const pty = openPty(["--config", own, "ssh", "bastion", "--", "echo $((40 + 2))"], {
      environment: ground.environment,
      columns: 200,
    });
    await pty.waitFor("Enter passphrase for key");
    // The plain key was not wanted, so lcops itself has not asked.
    expect(pty.text()).not.toContain("Passphrase of");
    pty.type("open sesame\r");
    await pty.waitFor(/^42$/m);
    expect((await pty.exit).code).toBe(0);
    const refused = await runLcops(["--config", own, "ssh", "bastion", "--", "true"], {
      environment: ground.environment,
    });
    expect(refused).toMatchObject({ code: 255, stdout: "" });
  });

  test("lcops tunnel open reaches a service behind both", async () => {
    const ask =
      "fetch(`http://localhost:${process.env.LCOPS_PORT}/`).then(async (r) => console.log(await r.text()))";
    const result = await lcops("tunnel", "open", "site", "--", process.execPath, "-e", ask);
    expect(result).toMatchObject({ code: 0, stdout: "the site\n" });
    await until("the programs are gone", () => programs().length === 0);
  });

  test("a Ctrl-C that belongs to the command cuts none of it", async () => {
    const script =
      "process.on('SIGINT', async () => { const site = await fetch(`http://localhost:${process.env.LCOPS_PORT}/`); console.log('after it:', await site.text()); process.exit(0); }); console.log('waiting'); setInterval(() => {}, 1000);";
    const words = ["tunnel", "open", "site", "--", process.execPath, "-e", script];
    const pty = openPty(["--config", config, ...words], {
      environment: ground.environment,
      columns: 200,
    });
    await pty.waitFor(/^waiting$/m);
    pty.press("ctrl-c");
    await pty.waitFor("after it: the site");
    expect((await pty.exit).code).toBe(0);
    expect(pty.text()).not.toContain("was lost");
  });

  test("the program ends by itself where lcops is killed", async () => {
    const running = startLcops(["--config", config, "tunnel", "open", "site"], {
      environment: ground.environment,
    });
    await running.waitFor(/ready/);
    expect(programs().length).toBeGreaterThan(0);
    running.send("SIGKILL");
    await running.ended;
    await until("the programs are gone", () => programs().length === 0, 20_000);
  });
});
