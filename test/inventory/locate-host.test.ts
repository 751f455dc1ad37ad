import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Host } from "../../src/inventory/host.ts";
import { lookUpAddress } from "../../src/inventory/look-up-address.ts";
import { locateHost } from "../../src/inventory/locate-host.ts";

let ground: string;
let configFile: string;
beforeAll(async () => {
  ground = await mkdtemp(join(tmpdir(), "lcops-locate-"));
  configFile = join(ground, "config");
  await writeFile(
    configFile,
    [
      "Host inner",
      "  HostName 10.0.0.1",
      "  ProxyJump admin@outer:2022",
      "Host outer",
      "  HostName 192.0.2.1",
      "  User nobody",
      "  ProxyCommand nc %h %p",
      "Host deep",
      "  ProxyJump inner",
      "Host here",
      "  ProxyJump none",
      "Host self",
      "  ProxyJump self",
      "Host ping",
      "  ProxyJump pong",
      "Host pong",
      "  ProxyJump ping",
      "Host six",
      "  ProxyJump [2001:db8::1]:2222",
      "Host pair",
      "  ProxyJump outer,web",
      "Host aliased",
      "  HostName 192.0.2.3",
      "  HostKeyAlias known",
      "  IdentitiesOnly yes",
    ].join("\n"),
  );
});
afterAll(() => rm(ground, { recursive: true }));

const config = (name: string, more: Partial<Host> = {}): Host => ({
  name,
  sources: ["config"],
  ...more,
});
const HOSTS: readonly Host[] = [
  config("web", { address: { dns: "web.example.com" }, user: "deploy", port: 2222 }),
  config("bastion", { address: { eip: "192.0.2.5" } }),
  config("second", { address: { eip: "10.0.0.5" }, jump: ["bastion"] }),
  config("third", { address: { eip: "10.0.0.6" }, jump: ["second"] }),
  config("listed", { address: { eip: "10.0.0.7" }, jump: ["bastion", "second"] }),
  config("dynamic", { address: { dyn: { tags: { Name: "x" } } } }),
  config("behind", { address: { eip: "10.0.0.8" }, jump: ["dynamic"] }),
  config("outer", { port: 22 }),
  config("direct", { address: { eip: "10.0.0.9" }, jump: ["web"] }),
];

/** Without a region to look in, only what the configuration itself says can be found. */
const lookUp = (host: Host) =>
  lookUpAddress(host, {
    scopes: [],
    checkAccount: () => Promise.resolve(),
    access: { environment: {}, signal: new AbortController().signal },
  });

const locate = (name: string, notes: string[] = []) =>
  locateHost(HOSTS.find((host) => host.name === name) ?? { name, sources: ["ssh-config"] }, {
    hosts: HOSTS,
    configFile,
    environment: {},
    signal: new AbortController().signal,
    lookUp,
    note: (line) => notes.push(line),
  });

const way = async (name: string): Promise<string[]> =>
  (await locate(name)).map(({ user, address, port }) => `${user}@${address}:${port}`);

describe("the way to a host", () => {
  test("is the host alone where nothing stands before it", async () => {
    const notes: string[] = [];
    const [only, ...others] = await locate("web", notes);
    expect(others).toEqual([]);
    expect(notes).toEqual([]);
    expect(only).toMatchObject({
      name: "web",
      address: "web.example.com",
      port: 2222,
      user: "deploy",
      identitiesOnly: false,
    });
    expect(only).not.toHaveProperty("proxyCommand");
  });

  test("takes from the ssh configuration what lcops does not know", async () => {
    expect(await locate("aliased")).toEqual([
      expect.objectContaining({
        address: "192.0.2.3",
        hostKeyAlias: "known",
        identitiesOnly: true,
      }),
    ]);
  });

  test.each([
    ["over a jump host", "second", ["192.0.2.5:22", "10.0.0.5:22"]],
    [
      "over a jump host that has one itself",
      "third",
      ["192.0.2.5:22", "10.0.0.5:22", "10.0.0.6:22"],
    ],
    ["over a list of them", "listed", ["192.0.2.5:22", "10.0.0.5:22", "10.0.0.7:22"]],
    ["over a ProxyJump", "inner", ["192.0.2.1:2022", "10.0.0.1:22"]],
    ["over a ProxyJump of a ProxyJump", "deep", ["192.0.2.1:2022", "10.0.0.1:22", "deep:22"]],
    ["over none where ProxyJump says so", "here", ["here:22"]],
    ["over an IPv6 address", "six", ["2001:db8::1:2222", "six:22"]],
    ["over hosts of both", "pair", ["192.0.2.1:22", "web.example.com:2222", "pair:22"]],
    ["over a host of the configuration", "direct", ["web.example.com:2222", "10.0.0.9:22"]],
  ])("leads %s", async (_how, name, expected) => {
    expect((await way(name)).map((hop) => hop.replace(/^.*@/, ""))).toEqual(expected);
  });

  test("uses the user that ProxyJump names, and a ProxyCommand for the first hop only", async () => {
    const [first, second] = await locate("inner");
    expect(first).toMatchObject({ user: "admin", proxyCommand: "nc 192.0.2.1 2022" });
    expect(second).not.toHaveProperty("proxyCommand");
  });
});

describe("a way that leads nowhere is refused", () => {
  test.each([
    ["to a host that jumps over itself", "self", "self: the ProxyJump self leads nowhere"],
    ["round in the ssh configuration", "ping", "ping → pong → ping"],
    [
      "to an address that is looked up",
      "dynamic",
      "dynamic is looked up in AWS, and no region is configured",
    ],
    [
      "over a host whose address is looked up",
      "behind",
      "dynamic is looked up in AWS, and no region is configured",
    ],
  ])("%s", async (_what, name, message) => {
    const located = locate(name);
    await expect(located).rejects.toMatchObject({ kind: "configuration" });
    await expect(located).rejects.toThrow(message);
  });

  test("round over hosts of the configuration", async () => {
    const hosts = [config("a", { jump: ["b"] }), config("b", { jump: ["a"] })];
    const { signal } = new AbortController();
    const options = { hosts, configFile, environment: {}, signal, lookUp, note: () => undefined };
    await expect(locateHost(hosts[0] as Host, options)).rejects.toThrow("a → b → a");
  });

  test("when the signal is aborted", async () => {
    const signal = AbortSignal.abort(new Error("stopped by the test"));
    const options = {
      hosts: HOSTS,
      configFile,
      environment: {},
      signal,
      lookUp,
      note: () => undefined,
    };
    await expect(locateHost(HOSTS[0] as Host, options)).rejects.toThrow("stopped by the test");
  });
});
