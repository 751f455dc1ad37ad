import { execFile } from "node:child_process";
import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readSshHosts } from "../../src/config/ssh-hosts.ts";
import { resolveSshSettings, type SshSettingsQuery } from "../../src/config/ssh-settings.ts";

const { homedir, username, uid } = userInfo();
const { signal } = new AbortController();
const hasSsh = await new Promise<boolean>((done) => {
  execFile("ssh", ["-V"], (error) => done(error === null));
});

let ground: string;
let count = 0;
beforeAll(async () => {
  ground = await mkdtemp(join(tmpdir(), "lcops-ssh-"));
});
afterAll(() => rm(ground, { recursive: true }));

const put = async (...lines: string[]): Promise<string> => {
  const path = join(ground, `config-${count++}`);
  await writeFile(path, `${lines.join("\n")}\n`);
  return path;
};

const ask = async (lines: readonly string[], more: Partial<SshSettingsQuery> = {}) => {
  const configFile = await put(...lines);
  return resolveSshSettings({ name: "web", environment: {}, signal, configFile, ...more });
};

/** A keyword that `ssh` does not know, so that the simpler reader has to answer. */
const UNKNOWN = "Frobnicate yes";

describe.skipIf(!hasSsh)("asked of ssh itself", () => {
  test("an empty file gives ssh's own defaults", async () => {
    const settings = await ask([]);
    expect(settings).toMatchObject({ hostName: "web", port: 22, user: username, proxyJump: [] });
    expect(settings).not.toHaveProperty("note");
    expect(settings).not.toHaveProperty("proxyCommand");
    expect(settings).not.toHaveProperty("agentSocket");
    expect(settings.identitiesOnly).toBe(false);
    expect(settings.identityFiles).toContain(join(homedir, ".ssh/id_ed25519"));
    expect(settings.knownHostsFiles).toContain(join(homedir, ".ssh/known_hosts"));
    expect(settings.knownHostsFiles).toContain("/etc/ssh/ssh_known_hosts");
  });

  test("Include is followed", async () => {
    const inner = await put("Host web", "  HostName 192.0.2.7", "  Port 2222", "  User deploy");
    const settings = await ask([`Include ${inner}`]);
    expect(settings).toMatchObject({ hostName: "192.0.2.7", port: 2222, user: "deploy" });
  });

  test("Include: a glob, one in another, one that is missing, one that includes itself", async () => {
    await put("");
    const folder = await mkdtemp(join(ground, "include-"));
    const at = (name: string): string => join(folder, name);
    await writeFile(at("a.conf"), `Include ${at("deep")}\nHost web\n  User deploy\n`);
    await writeFile(at("b.conf"), "Host web\n  User late\n  Port 2222\n");
    await writeFile(at("deep"), "Host web\n  HostName 192.0.2.8\n");
    const settings = await ask([`Include ${at("none")} ${at("*.conf")}`]);
    expect(settings).toMatchObject({ hostName: "192.0.2.8", user: "deploy", port: 2222 });
    expect(settings).not.toHaveProperty("note");
    await writeFile(at("loop"), `Include ${at("loop")}\n`);
    const looped = await ask([`Include ${at("loop")}`, "Host web", "User x"]);
    expect(looped.note).toMatch(/Include.*passed over/);
    expect(looped.user).toBe("x");
  });

  test("Match final sees what the others have set", async () => {
    const settings = await ask([
      "Host web",
      "  HostName web.example.com",
      "Match final host *.example.com",
      "  User late",
    ]);
    expect(settings.user).toBe("late");
  });

  test("quotes, =, CRLF and case", async () => {
    const settings = await ask([
      'HOST "web"\r',
      "hostname=192.0.2.7\r",
      "Port = 2222\r",
      'IdentityFile "/keys/a key"\r',
      'User="deploy"\r',
    ]);
    expect(settings).toMatchObject({ hostName: "192.0.2.7", port: 2222, user: "deploy" });
    expect(settings.identityFiles).toEqual(["/keys/a key"]);
  });

  test("what only ssh can use is handed on", async () => {
    expect(await ask(["Host web", "IdentityAgent none"])).not.toHaveProperty("forProgram");
    const settings = await ask([
      "Host web",
      "CertificateFile ~/%n-cert.pub",
      "PKCS11Provider /usr/lib/token.so",
      "GSSAPIAuthentication yes",
    ]);
    expect(settings.forProgram).toEqual({
      certificateFiles: [`${homedir}/web-cert.pub`],
      pkcs11Provider: "/usr/lib/token.so",
      gssapi: true,
    });
  });

  test("ProxyCommand none takes back what a later Host would give", async () => {
    const settings = await ask([
      "Host web",
      "ProxyCommand none",
      "Host *",
      "ProxyCommand nc %h %p",
    ]);
    expect(settings).not.toHaveProperty("proxyCommand");
  });

  test("Match host and Match exec are heeded, the first value wins", async () => {
    const settings = await ask([
      "Match host web exec true",
      "  User matched",
      "Match exec false",
      "  HostKeyAlias never",
      "Host *",
      "  User everybody",
    ]);
    expect(settings.user).toBe("matched");
    expect(settings).not.toHaveProperty("hostKeyAlias");
  });

  test("Match user and Match host see the user and the address that lcops knows", async () => {
    const lines = ["Match user deploy", "  IdentityFile /keys/deploy"];
    const settings = await ask(lines, { user: "deploy" });
    expect(settings.identityFiles).toEqual(["/keys/deploy"]);
  });

  test("what lcops knows wins over the file", async () => {
    const known = { address: "192.0.2.9", port: 2022, user: "admin" };
    const settings = await ask(["Host web", "HostName x", "Port 1", "User y"], known);
    expect(settings).toMatchObject({ hostName: "192.0.2.9", port: 2022, user: "admin" });
  });

  test("an IPv6 address keeps its zone", async () => {
    const settings = await ask(["Host web", "User deploy"], { address: "fe80::1%eth0" });
    expect(settings).toMatchObject({ hostName: "fe80::1%eth0", user: "deploy" });
    expect(settings).not.toHaveProperty("note");
  });

  test("ProxyJump is a list, outermost first; none is an empty one", async () => {
    const settings = await ask(["Host web", "ProxyJump admin@outer:2222,inner"]);
    expect(settings.proxyJump).toEqual(["admin@outer:2222", "inner"]);
    expect((await ask(["Host web", "ProxyJump none", "Host *", "ProxyJump a"])).proxyJump).toEqual(
      [],
    );
  });

  test("files and commands have their tokens and ~ expanded", async () => {
    const settings = await ask([
      "Host web",
      "HostName %h.example.com",
      "Port 2222",
      "User deploy",
      "IdentityFile ~/keys/%r@%h",
      "IdentityFile %d/other-%i",
      "UserKnownHostsFile ~/.ssh/known_%n /etc/known-%p",
      "GlobalKnownHostsFile none",
      "HostKeyAlias alias-%n",
      "ProxyCommand nc %h %p # %r %n 100%%",
      "IdentitiesOnly yes",
    ]);
    expect(settings).toEqual({
      hostName: "web.example.com",
      port: 2222,
      user: "deploy",
      identityFiles: [`${homedir}/keys/deploy@web.example.com`, `${homedir}/other-${uid}`],
      identitiesOnly: true,
      knownHostsFiles: [`${homedir}/.ssh/known_web`, "/etc/known-2222"],
      proxyJump: [],
      hostKeyAlias: "alias-web",
      proxyCommand: "nc web.example.com 2222 # deploy web 100%",
    });
  });
});

describe.skipIf(!hasSsh)("the agent", () => {
  const environment = { SSH_AUTH_SOCK: "/run/agent", OTHER: "/run/other" };
  test.each([
    ["is that of the environment", [], "/run/agent"],
    ["is the one of IdentityAgent", ["IdentityAgent ~/agent-%r"], `${homedir}/agent-${username}`],
    ["is that of the environment where it says so", ["IdentityAgent SSH_AUTH_SOCK"], "/run/agent"],
    ["may be in another variable", ["IdentityAgent $OTHER"], "/run/other"],
    ["is not used with IdentityAgent none", ["IdentityAgent none"], undefined],
  ])("%s", async (_name, lines, expected) => {
    expect((await ask(["Host *", ...lines], { environment })).agentSocket).toBe(expected);
  });
});

describe("where ssh refuses the file, a simpler reader answers and says so", () => {
  test("the first values of matching hosts, files as lists", async () => {
    const settings = await ask([
      "Host we? !worker",
      `  ${UNKNOWN}`,
      "  HostName %h.example.com",
      "  Port 2222",
      "  IdentityFile ~/one",
      "  IdentityFile /two",
      "  UserKnownHostsFile /a /b",
      "  ProxyJump outer,inner",
      "Host *",
      "  Port 1",
      "  User deploy",
    ]);
    expect(settings).toMatchObject({
      hostName: "web.example.com",
      port: 2222,
      user: "deploy",
      identityFiles: [`${homedir}/one`, "/two"],
      proxyJump: ["outer", "inner"],
      knownHostsFiles: ["/a", "/b", "/etc/ssh/ssh_known_hosts"],
    });
    expect(settings.note).toMatch(/Include and Match .*passed over/);
  });

  test.each([
    ["a quote that is not closed", ['Host "web', UNKNOWN]],
    ["a port that is no number", ["Host web", "Port nine"]],
    ["bytes that mean nothing", ["\u0001\u001b[2J x", "Host web"]],
    ["a Host without a name", ["Host", "User x"]],
  ])("%s is told, not thrown, and a usable port remains", async (_name, lines) => {
    const settings = await ask(lines);
    expect(settings.note).toBeTypeOf("string");
    expect(settings).toMatchObject({ hostName: "web", port: 22 });
  });
});

describe("where there is no ssh", () => {
  test("the simpler reader answers, says so, and runs nothing of the file", async () => {
    const trace = join(ground, "was-run");
    const configFile = await put(
      "Host web",
      "HostName 192.0.2.7",
      "Port 2222",
      `Match exec "/usr/bin/touch ${trace}"`,
      "User matched",
    );
    const script = `
      const { resolveSshSettings } = await import("./src/config/ssh-settings.ts");
      const { signal } = new AbortController();
      const query = { name: "web", environment: {}, signal, configFile: ${JSON.stringify(configFile)} };
      process.stdout.write(JSON.stringify(await resolveSshSettings(query)));`;
    const output = await new Promise<string>((done, fail) => {
      execFile(
        process.execPath,
        ["--import", "tsx", "--input-type=module", "-e", script],
        { cwd: join(import.meta.dirname, "../.."), env: { PATH: "/nonexistent" }, timeout: 20_000 },
        (error, stdout) => (error ? fail(error) : done(stdout)),
      );
    });
    expect(JSON.parse(output)).toMatchObject({
      hostName: "192.0.2.7",
      port: 2222,
      user: username,
      note: "the program ssh is not installed; Include and Match of the ssh settings were passed over",
    });
    await expect(access(trace)).rejects.toThrow("ENOENT");
  });
});

describe("what goes into the shell line of a ProxyCommand", () => {
  const command = "ProxyCommand connect %h %r %n";
  test.each([
    ["$(id)", {}],
    ["a;id", {}],
    ["`id`", {}],
    ["web one", {}],
    ["web", { address: "x'$(id)'" }],
    ["web", { address: "-oX" }],
    ["web", { user: "a&b" }],
  ])("%j with %j is refused", async (name, more) => {
    await expect(ask([UNKNOWN, "Host *", command], { name, ...more })).rejects.toMatchObject({
      kind: "refused",
    });
  });

  test("a plain name, an IPv6 address and a user of a domain are let through", async () => {
    const more = { address: "2001:db8::1", user: "ann@example.com" };
    expect((await ask(["Host *", command], more)).proxyCommand).toBe(
      "connect 2001:db8::1 ann@example.com web",
    );
  });

  test("a name that ssh would take for an option is refused before anything runs", async () => {
    await expect(ask([], { name: "-oProxyCommand=id" })).rejects.toMatchObject({ kind: "usage" });
  });
});

test("10,000 hosts are listed in seconds, patterns and hostile names passed over", async () => {
  const hosts = Array.from({ length: 10_000 }, (_, i) => [`Host h${i} *.h${i}`, `  Port ${i + 1}`]);
  const path = await put(
    'Host "$(id)" -oX a?b',
    "  User x",
    ...hosts.flat(),
    "Host h5",
    "  Port 9",
  );
  const started = performance.now();
  const found = readSshHosts(path);
  expect(performance.now() - started).toBeLessThan(5_000);
  expect(found).toHaveLength(10_000);
  expect(found[5]).toEqual({ name: "h5", port: 6 });
});
