import { describe, expect, test } from "vitest";
import { proposeConfig, type Machine } from "../../../src/commands/config/propose-config.ts";
import { parseConfig, type Config } from "../../support/known-config.ts";

const machine = (name: string, more: Partial<Machine> = {}): Machine => ({
  name,
  environment: "prod",
  region: "eu-west-1",
  tags: { Name: name },
  ...more,
});
const propose = (machines: Machine[], hosts: string[] = []): Config => {
  const made = proposeConfig({
    environments: [{ name: "prod", production: true, profile: "p", regions: ["eu-west-1"] }],
    hosts,
    machines,
  });
  // Whatever is proposed, the configuration is well formed.
  return parseConfig(made);
};

describe("a machine of AWS becomes a host that is looked up", () => {
  test.each<[string, Machine, object | undefined]>([
    ["by its Name", machine("web"), { tags: { Name: "web" }, region: "eu-west-1" }],
    [
      "by its name in small letters",
      machine("web", { tags: { name: "web" } }),
      { tags: { name: "web" }, region: "eu-west-1" },
    ],
    [
      "by what OpsWorks called it where its Name is empty",
      machine("api1", { tags: { Name: "", "opsworks:instance": "api1" } }),
      { tags: { "opsworks:instance": "api1" }, region: "eu-west-1" },
    ],
    ["by nothing where it has neither", machine("i-1", { tags: {} }), undefined],
  ])("%s", (_how, given, dyn) => {
    expect(propose([given]).hosts?.[given.name]?.address).toEqual(dyn && { dyn });
  });

  test("with its role where that is a plain word", () => {
    const { hosts } = propose([machine("a", { role: "api" }), machine("b", { role: "api+web" })]);
    expect(hosts?.["a"]?.role).toBe("api");
    expect(hosts?.["b"]).not.toHaveProperty("role");
  });
});

test("names that are taken twice, that are no plain words, and those of the ssh configuration are left alone", () => {
  const config = propose(
    [
      machine("twin"),
      machine("twin"),
      machine("-oProxyCommand=x"),
      machine("a b"),
      machine("own"),
      machine("web"),
    ],
    ["own"],
  );
  expect(config.hosts).toEqual({
    own: {},
    web: expect.objectContaining({ environment: "prod" }) as object,
  });
  expect(config.menu?.[0]?.entries.map((entry) => "host" in entry && entry.host)).toEqual([
    "web",
    "own",
  ]);
});

test.each([
  ["GraphStats", undefined, ["graphite"]],
  ["TextLogs", undefined, ["kibana", "elasticsearch"]],
  ["x", "redis", ["redis"]],
  ["Jenkins-Oregon", undefined, ["jenkins"]],
  ["web", "api", []],
])("%s of the role %s is proposed %j", (name, role, services) => {
  const config = propose([machine(name, role === undefined ? {} : { role })]);
  expect(Object.keys(config.services ?? {})).toEqual(services);
  for (const service of Object.values(config.services ?? {})) expect(service.host).toBe(name);
});

test("a service is proposed once, with a port of its own", () => {
  const { services = {} } = propose(
    ["redis-1", "redis-2", "logs", "stats"].map((name) => machine(name)),
  );
  expect(services["redis"]?.host).toBe("redis-1");
  const ports = Object.values(services).map(({ localPort }) => localPort);
  expect(new Set(ports).size).toBe(ports.length);
});

test("nothing is proposed of nothing", () => {
  expect(propose([])).toMatchObject({ hosts: {}, services: {}, menu: [{ title: "Inventory:" }] });
});
