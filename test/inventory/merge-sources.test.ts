import { describe, expect, test } from "vitest";
import type { Config } from "../../src/config/schema.ts";
import { environmentsOf, markSeen } from "../../src/inventory/mark-seen.ts";
import { readTags } from "../../src/inventory/instance.ts";
import { mergeHosts, type SeenInstance } from "../../src/inventory/merge-hosts.ts";
import { planScopes, type ScopeWishes } from "../../src/inventory/plan-scopes.ts";

const at = "2026-11-01T00:00:00.000Z";
const ec2 = (id: string, more: Partial<SeenInstance> = {}): SeenInstance => ({
  id,
  region: "eu-west-1",
  source: "ec2",
  state: "running",
  at,
  ...more,
});

describe("the tags of an instance", () => {
  test.each([
    [{}, {}],
    [
      { Name: "a", Environment: "prod", Role: "api" },
      { name: "a", environment: "prod", role: "api" },
    ],
    [
      { NAME: "a", environment: "dev", ROLE: "db" },
      { name: "a", environment: "dev", role: "db" },
    ],
    [{ Name: "", Role: "" }, {}],
    [
      { "opsworks:stack": "dev", "opsworks:layer:api": "API" },
      { environment: "dev", role: "api" },
    ],
    [
      { "opsworks:layer:web": "Web", "opsworks:layer:api": "API", "opsworks:instance": "api1" },
      { name: "api1", role: "api+web" },
    ],
    [
      { "OpsWorks:Stack": "dev", "OPSWORKS:LAYER:API": "x" },
      { environment: "dev", role: "api" },
    ],
    [
      { Name: "a", "opsworks:instance": "b", Role: "c", "opsworks:layer:d": "D" },
      { name: "a", role: "c" },
    ],
  ])("%j mean %j", (tags, expected) => {
    expect(readTags(tags)).toEqual(expected);
  });
});

describe("an instance and a host of the configuration are one", () => {
  test.each<[string, NonNullable<Config["hosts"]>[string], SeenInstance[], string | undefined]>([
    ["by the name alone", {}, [ec2("i-1", { name: "web" })], "i-1"],
    ["not by another name", {}, [ec2("i-1", { name: "Web" })], undefined],
    [
      "the running of two of the name",
      {},
      [ec2("i-1", { name: "web", state: "stopped" }), ec2("i-2", { name: "web" })],
      "i-2",
    ],
    [
      "neither of two that run",
      {},
      [ec2("i-1", { name: "web" }), ec2("i-2", { name: "web" })],
      undefined,
    ],
    ["a stopped one of the name", {}, [ec2("i-1", { name: "web", state: "stopped" })], "i-1"],
    [
      "by its elastic IP",
      { address: { eip: "192.0.2.1" } },
      [ec2("i-1", { publicAddress: "192.0.2.1" })],
      "i-1",
    ],
    [
      "by the allocation of its elastic IP, stopped or not",
      { address: { eip: { allocation: "eipalloc-1" } } },
      [
        ec2("i-1", { elasticIps: [{ allocation: "eipalloc-1", tags: {} }], state: "stopped" }),
        ec2("i-2", { elasticIps: [{ allocation: "eipalloc-2", tags: {} }] }),
      ],
      "i-1",
    ],
    [
      "by the tags of its elastic IP",
      { address: { eip: { tags: { Name: "front" } } } },
      [
        ec2("i-1", { tags: { Name: "front" } }),
        ec2("i-2", { elasticIps: [{ tags: { Name: "front", a: "b" } }] }),
      ],
      "i-2",
    ],
    [
      "not by tags that several elastic IPs carry",
      { address: { eip: { tags: { Name: "front" } } } },
      [
        ec2("i-1", { elasticIps: [{ tags: { Name: "front" } }] }),
        ec2("i-2", { elasticIps: [{ tags: { Name: "front" } }] }),
      ],
      undefined,
    ],
    [
      "not by an elastic IP of another region",
      { address: { eip: { tags: { Name: "front" }, region: "us-west-2" } } },
      [ec2("i-1", { elasticIps: [{ tags: { Name: "front" } }] })],
      undefined,
    ],
    [
      "by its tags",
      { address: { dyn: { tags: { a: "b" } } } },
      [ec2("i-1", { tags: { a: "b", c: "d" } })],
      "i-1",
    ],
    [
      "not by tags of a stopped one",
      { address: { dyn: { tags: { a: "b" } } } },
      [ec2("i-1", { tags: { a: "b" }, state: "stopped" })],
      undefined,
    ],
    [
      "not by a part of the tags",
      { address: { dyn: { tags: { a: "b", c: "d" } } } },
      [ec2("i-1", { tags: { a: "b" } })],
      undefined,
    ],
    [
      "by the tags in their region",
      { address: { dyn: { tags: { a: "b" }, region: "us-west-2" } } },
      [ec2("i-1", { tags: { a: "b" } }), ec2("i-2", { tags: { a: "b" }, region: "us-west-2" })],
      "i-2",
    ],
    [
      "by its own name where it has a DNS name",
      { address: { dns: "web.example.com" } },
      [ec2("i-1", { name: "web" }), ec2("i-2", { name: "web.example.com" })],
      "i-1",
    ],
  ])("%s", (_how, given, instances, expected) => {
    const hosts = mergeHosts({ web: given }, instances, []);
    expect(hosts[0]).toMatchObject({ name: "web", ...(expected && { instanceId: expected }) });
    expect(hosts[0]?.instanceId).toBe(expected);
    // None is lost, and none stands twice.
    expect(hosts).toHaveLength(1 + instances.length - (expected === undefined ? 0 : 1));
  });
});

test("the configuration is not overwritten: what AWS says otherwise is a conflict, with who said what and when", () => {
  const hosts = mergeHosts(
    { web: { environment: "prod", region: "eu-west-1" } },
    [
      {
        ...ec2("i-1", { name: "web" }),
        source: "opsworks",
        environment: "qa",
        publicAddress: "192.0.2.2",
      },
      ec2("i-1", { name: "web", environment: "dev", publicAddress: "192.0.2.1" }),
    ],
    [],
  );
  expect(hosts).toEqual([
    {
      name: "web",
      sources: ["config", "ec2", "opsworks"],
      environment: "prod",
      region: "eu-west-1",
      publicAddress: "192.0.2.1",
      state: "running",
      instanceId: "i-1",
      fields: {
        environment: { source: "config" },
        region: { source: "config" },
        publicAddress: { source: "ec2", at },
        state: { source: "ec2", at },
      },
      conflicts: [
        { field: "environment", source: "ec2", value: "dev" },
        { field: "environment", source: "opsworks", value: "qa" },
        { field: "publicAddress", source: "opsworks", value: "192.0.2.2" },
      ],
    },
  ]);
});

test("an instance that only OpsWorks knows is a host, and one of the ssh configuration gives way to its name", () => {
  const hosts = mergeHosts(
    undefined,
    [{ ...ec2("i-1", { name: "api1" }), source: "opsworks" }, ec2("i-2")],
    [{ name: "api1", hostName: "192.0.2.1" }, { name: "other" }],
  );
  expect(hosts.map(({ name, sources }) => [name, ...sources])).toEqual([
    ["api1", "opsworks"],
    ["i-2", "ec2"],
    ["other", "ssh-config"],
  ]);
});

describe("the environment of a machine", () => {
  const [DEV, PROD, OTHER] = ["1".repeat(12), "2".repeat(12), "3".repeat(12)];
  const environments: Config["environments"] = {
    dev: { production: false, aws: { account: DEV } },
    qa: { production: false, aws: { profile: "qa" } },
    prod: { production: true, aws: { account: PROD } },
    live: { production: true, aws: { account: PROD } },
  };
  const mark = (account: string, asked: string[], tags: (string | undefined)[]): unknown[] => {
    const instances = tags.map((environment, index) =>
      ec2(`i-${index}`, environment === undefined ? {} : { environment }),
    );
    const owners = environmentsOf(environments, account, asked);
    return markSeen([{ at, instances, notes: [] }], owners, Object.keys(environments)).map(
      ({ environment }) => environment,
    );
  };
  test.each([
    [
      "the owner of the account, whatever is said",
      DEV,
      ["dev"],
      [undefined, "prod"],
      ["dev", "dev"],
    ],
    [
      "the owner, through the profile of another environment too",
      DEV,
      ["qa"],
      [undefined, "qa"],
      ["dev", "dev"],
    ],
    [
      "never one that is not guarded where the account is production's",
      PROD,
      ["qa"],
      ["qa", "dev", undefined, "live"],
      [undefined, undefined, undefined, "live"],
    ],
    [
      "none of two that share the account where no tag tells",
      OTHER,
      ["dev", "qa"],
      [undefined, "qa", "prod"],
      [undefined, "qa", undefined],
    ],
    ["what is asked where nobody owns the account", OTHER, ["qa"], [undefined], ["qa"]],
    ["what its tag says where that is none of ours", DEV, ["dev"], ["blue"], ["blue"]],
  ])("is %s", (_what, account, asked, tags, expected) => {
    expect(mark(account, asked, tags)).toEqual(expected);
  });

  test("is not taken from EC2's tag where that names one of another account and OpsWorks names none of ours", () => {
    const pair = [ec2("i-1", { environment: "prod" }), ec2("i-1", { environment: "legacy" })];
    const marked = markSeen([{ at, instances: pair, notes: [] }], ["dev"], ["dev", "prod"]);
    expect(marked.map(({ environment }) => environment)).toEqual([undefined, "legacy"]);
  });
});

describe("the scopes", () => {
  const environments: Config["environments"] = {
    dev: { aws: { profile: "dev", regions: ["us-west-2"] } },
    qa: { aws: { profile: "dev", regions: ["us-west-2", "eu-west-1"], opsworks: true } },
    prod: { aws: { profile: "prod", account: "1".repeat(12), regions: ["eu-west-1"] } },
    bare: { aws: { profile: "bare" } },
    none: {},
  };
  test.each<[ScopeWishes, string[]]>([
    [
      {},
      [
        "dev us-west-2 dev+qa opsworks",
        "dev eu-west-1 qa opsworks",
        "prod eu-west-1 prod 111111111111",
      ],
    ],
    [{ environment: "dev" }, ["dev us-west-2 dev"]],
    [{ environment: "none" }, []],
    [
      { environment: "bare", region: "eu-west-1,eu-west-3" },
      ["bare eu-west-1 bare", "bare eu-west-3 bare"],
    ],
    [{ environment: "prod", profile: "x" }, ["x eu-west-1 prod 111111111111"]],
    [{ region: "eu-west-1", environment: "qa" }, ["dev eu-west-1 qa opsworks"]],
  ])("of %j are %j", (wishes, expected) => {
    const scopes = planScopes({ environments }, wishes);
    expect(
      scopes.map(({ profile, region, environments: of, account, hasOpsWorks }) =>
        [profile, region, of.join("+"), account, hasOpsWorks && "opsworks"]
          .filter(Boolean)
          .join(" "),
      ),
    ).toEqual(expected);
  });

  test.each<[string, NonNullable<Config["hosts"]>[string], string[]]>([
    ["an address", { address: { eip: "192.0.2.1" } }, []],
    ["tags", { address: { dyn: { tags: { a: "b" } } } }, []],
    [
      "an elastic IP by its allocation",
      { environment: "qa", address: { eip: { allocation: "eipalloc-1" } } },
      ["us-west-2", "eu-west-1 dev"],
    ],
    [
      "one of a region",
      { address: { eip: { tags: { a: "b" }, region: "eu-west-1" } } },
      ["eu-west-1 dev", "eu-west-1 prod"],
    ],
  ])(
    "are asked for elastic IPs where a host may have one of theirs: %s",
    (_what, web, expected) => {
      const asked = planScopes({ environments, hosts: { web } }, {})
        .filter(({ hasElasticIps }) => hasElasticIps)
        .map(({ region, profile }) => (region === "us-west-2" ? region : `${region} ${profile}`));
      expect(asked).toEqual(expected);
    },
  );
});
