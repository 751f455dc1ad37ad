import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeAddress } from "../../src/inventory/host.ts";
import type { Config } from "../../src/config/schema.ts";
import { readSshHosts } from "../../src/config/ssh-hosts.ts";
import type { Host } from "../../src/inventory/host.ts";
import { mergeHosts } from "../../src/inventory/merge-hosts.ts";

const listHosts = (config: Config): Host[] =>
  mergeHosts(config.hosts, [], readSshHosts(config.ssh?.configFile));

let ground: string;
let configFile: string;
beforeAll(async () => {
  ground = await mkdtemp(join(tmpdir(), "lcops-hosts-"));
  configFile = join(ground, "config");
  await writeFile(
    configFile,
    [
      "User everybody",
      "Host db web",
      "  HostName 192.0.2.8",
      "  User deploy",
      "  Port 2222",
      "host=quiet # a comment",
      "  hostname = 192.0.2.9",
      "Host *.internal !web -oX ../x",
      "  User pattern",
      "Host db",
      "  HostName 203.0.113.1",
      "Match host db",
      "  User matched",
    ].join("\n"),
  );
});
afterAll(() => rm(ground, { recursive: true }));

describe("the inventory", () => {
  test("is the configuration's hosts, then those of the ssh configuration, each once", () => {
    const hosts = listHosts({
      ssh: { configFile },
      hosts: {
        web: { environment: "prod", address: { eip: "192.0.2.1" }, jump: ["db"] },
        api: {},
      },
    });
    expect(hosts).toEqual([
      {
        name: "web",
        sources: ["config"],
        environment: "prod",
        address: { eip: "192.0.2.1" },
        jump: ["db"],
        fields: { environment: { source: "config" } },
      },
      { name: "api", sources: ["config"] },
      {
        name: "db",
        sources: ["ssh-config"],
        address: { dns: "192.0.2.8" },
        user: "deploy",
        port: 2222,
      },
      { name: "quiet", sources: ["ssh-config"], address: { dns: "192.0.2.9" } },
    ]);
  });

  test("keeps hosts apart that are named like the properties of every object", () => {
    const hosts = listHosts({ ssh: { configFile }, hosts: { toString: {}, constructor: {} } });
    expect(hosts.map(({ name }) => name)).toEqual([
      "toString",
      "constructor",
      "db",
      "web",
      "quiet",
    ]);
  });

  test("refuses a named ssh configuration that is not there", () => {
    const missing = join(ground, "missing");
    expect(() => listHosts({ ssh: { configFile: missing } })).toThrow(
      expect.objectContaining({
        kind: "configuration",
        message: expect.stringContaining(missing) as string,
      }),
    );
  });

  test("refuses an ssh configuration that cannot be read, in words", async () => {
    const broken = join(ground, "broken");
    await writeFile(broken, 'Host "web\nUser x\n');
    expect(() => listHosts({ ssh: { configFile: broken } })).toThrow(
      expect.objectContaining({
        kind: "configuration",
        message: expect.stringContaining("cannot read the ssh configuration") as string,
      }),
    );
  });
});

describe("an address", () => {
  test.each([
    [{ eip: "192.0.2.1" }, { kind: "eip", value: "192.0.2.1" }],
    [{ dns: "web.example.com" }, { kind: "dns", value: "web.example.com" }],
    [{ dyn: { tags: { Name: "web", Role: "api" } } }, { kind: "dyn", value: "Name=web,Role=api" }],
  ])("%j is shown as %j", (address, expected) => {
    expect(describeAddress({ name: "web", sources: ["config"], address })).toEqual(expected);
  });

  test("that is not given is none", () => {
    expect(describeAddress({ name: "web", sources: ["config"] })).toBeUndefined();
  });
});
