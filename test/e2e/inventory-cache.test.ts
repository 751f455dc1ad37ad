import { readFileSync, statSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import type { OpsWorksStack } from "../lab/aws/state.ts";
import {
  ACCOUNTS,
  instanceId,
  KEYS,
  makeAwsGround,
  type AwsGround,
} from "../support/aws-ground.ts";
import { openPty } from "../support/pty.ts";

let ground: AwsGround;
beforeEach(async () => {
  ground = await makeAwsGround();
  ground.endpoint.setInstances("us-west-2", [named("old")]);
});
afterEach(() => ground.remove());

const named = (name: string, index = 1) => ({
  instanceId: instanceId(index),
  tags: { Name: name },
  privateIpAddress: `10.0.0.${index}`,
});
const listDev = async (...flags: string[]) => {
  const result = await ground.lcops("hosts", "--env", "dev", ...flags);
  return {
    ...result,
    names: result.stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split("\t")[0]),
  };
};
/** Changes what the cache holds. */
const age = (change: (answer: { at: string }) => void): void => {
  for (const file of ground.cacheFiles("inventory")) {
    const answer = JSON.parse(readFileSync(file, "utf8")) as { at: string };
    change(answer);
    writeFileSync(file, JSON.stringify(answer));
  }
};
const minutesAgo = (minutes: number): string =>
  new Date(Date.now() - minutes * 60_000).toISOString();

describe("the cache", () => {
  test("serves the second list, is renewed by --refresh, and is its owner's alone", async () => {
    expect(await listDev()).toMatchObject({ code: 0, names: ["old"] });
    ground.endpoint.setInstances("us-west-2", [named("new")]);
    const asked = ground.endpoint.requests.length;
    expect(await listDev()).toMatchObject({ code: 0, names: ["old"], stderr: "" });
    expect(ground.endpoint.requests).toHaveLength(asked);
    expect(await listDev("--refresh")).toMatchObject({ code: 0, names: ["new"] });
    expect(ground.count("DescribeInstances")).toBe(2);
    expect(await listDev()).toMatchObject({ code: 0, names: ["new"] });
    expect(ground.count("DescribeInstances")).toBe(2);
    for (const file of [...ground.cacheFiles("inventory"), ...ground.cacheFiles("identity")]) {
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(readFileSync(file, "utf8")).not.toContain("aws_secret_access_key");
    }
  });

  test("says its age on a screen, and is asked no more after five minutes", async () => {
    await listDev();
    age((answer) => (answer.at = minutesAgo(4)));
    const pty = openPty(["hosts", "--env", "dev"], { environment: ground.environment });
    expect(await pty.exit).toMatchObject({ code: 0 });
    expect(pty.text()).toContain("AWS as of 4 min ago; --refresh asks again");
    age((answer) => (answer.at = minutesAgo(6)));
    ground.endpoint.setInstances("us-west-2", [named("new")]);
    expect(await listDev()).toMatchObject({ names: ["new"] });
  });

  test.each([
    ["damaged", (file: string) => writeFileSync(file, "\u0000\u0001")],
    ["empty", (file: string) => writeFileSync(file, "")],
    [
      "written by half",
      (file: string) => writeFileSync(file, readFileSync(file, "utf8").slice(0, -20)),
    ],
    ["of another shape", () => age((answer) => Object.assign(answer, { instances: [null, 1] }))],
    ["without a time", () => age((answer) => (answer.at = "yesterday"))],
    ["of the future", () => age((answer) => (answer.at = minutesAgo(-60)))],
    ["of another principal", () => age((answer) => Object.assign(answer, { principal: "arn:x" }))],
    ["of another account", () => age((answer) => Object.assign(answer, { account: "9" }))],
  ])("that is %s is none", async (_what, damage) => {
    await listDev();
    ground.endpoint.setInstances("us-west-2", [named("new")]);
    for (const file of ground.cacheFiles("inventory")) damage(file);
    expect(await listDev()).toMatchObject({ code: 0, names: ["new"], stderr: "" });
    expect(ground.count("DescribeInstances")).toBe(2);
  });

  test.each([
    ["another account", { account: ACCOUNTS.prod }],
    ["another role of the account", { account: ACCOUNTS.dev, arn: "arn:aws:iam::1:role/other" }],
  ])("of one access key is not shown to that of %s", async (_who, identity) => {
    await listDev();
    ground.endpoint.setInstances("us-west-2", [named("new")]);
    ground.endpoint.setIdentity("AKIASOMEBODYELSE0000", identity);
    ground.writeProfiles({ dev: "AKIASOMEBODYELSE0000" });
    expect(await listDev()).toMatchObject({ code: 0, names: ["new"] });
    ground.endpoint.fault({ kind: "denied", service: "ec2" });
    ground.writeProfiles({ dev: "AKIATHIRDPERSON00000" });
    expect(await listDev()).toMatchObject({ code: 3, names: [] });
  });

  test("is whole after several have written it at once", async () => {
    ground.endpoint.setInstances("us-west-2", {
      count: 300,
      make: (index) => named(`web-${index}`, index),
    });
    const results = await Promise.all([1, 2, 3].map(() => listDev("--refresh")));
    for (const { code, names } of results) expect([code, names.length]).toEqual([0, 300]);
    const asked = ground.endpoint.requests.length;
    expect((await listDev()).names).toHaveLength(300);
    expect(ground.endpoint.requests).toHaveLength(asked);
    expect(ground.cacheFiles("inventory")).toHaveLength(1);
  });

  test("is shown with its time where the region fails, and the code is 3", async () => {
    await listDev();
    const at = minutesAgo(90);
    age((answer) => (answer.at = at));
    ground.endpoint.fault({ kind: "expired", service: "ec2" });
    const { code, names, stderr } = await listDev();
    expect({ code, names }).toEqual({ code: 3, names: ["old"] });
    expect(stderr).toContain(`shown as of ${at}`);
    expect(stderr).toContain("sign in: aws sso login --profile dev");
  });

  test("is passed by when a host is connected to", async () => {
    await listDev();
    const before = ground.count("DescribeInstances");
    ground.endpoint.setInstances("us-west-2", []);
    const result = await ground.lcops("--env", "dev", "ssh", "old", "--", "true");
    expect(result).toMatchObject({ code: 255, stdout: "" });
    expect(result.stderr).toContain("no host matches old");
    expect(ground.count("DescribeInstances")).toBe(before + 1);
  });
});

describe("a profile of another account than the configuration says", () => {
  beforeEach(() => {
    ground.configure(({ environments, ...config }) => {
      Object.assign(environments?.["dev"]?.aws ?? {}, { account: "999999999999" });
      config.hosts = undefined;
    });
    ground.configure((config) => {
      config.hosts = { box: { environment: "dev", address: { dyn: { tags: { Name: "old" } } } } };
    });
  });
  test.each([
    [5, ["hosts"]],
    [5, ["hosts", "--refresh", "--json"]],
    [255, ["ssh", "old", "--", "true"]],
    [255, ["ssh", "box", "--", "true"]],
  ])("is refused with %i before EC2 is asked anything in its name: %j", async (code, args) => {
    const result = await ground.lcops(...args);
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(
      `the profile dev belongs to account ${ACCOUNTS.dev}, the configuration says 999999999999`,
    );
    const asked = ground.endpoint.requests.filter(
      ({ service, accessKeyId }) => service !== "sts" && accessKeyId === KEYS.dev,
    );
    expect(asked).toEqual([]);
  });
});

describe("OpsWorks", () => {
  const stack = (more: object = {}): OpsWorksStack => ({
    StackId: "stack-1",
    Name: "legacy",
    layers: [
      { LayerId: "l1", Name: "Web", Shortname: "web" },
      { LayerId: "l2", Name: "API", Shortname: "api" },
    ],
    instances: [
      {
        InstanceId: "o1",
        Hostname: "api1",
        Ec2InstanceId: instanceId(1),
        LayerIds: ["l1", "l2"],
        PrivateIp: "10.9.9.9",
        ...more,
      },
      { InstanceId: "o2", Hostname: "api2", Ec2InstanceId: instanceId(2), LayerIds: ["l2"] },
    ],
  });
  beforeEach(() => {
    ground.configure(({ environments }) => {
      Object.assign(environments?.["dev"]?.aws ?? {}, { opsworks: true });
    });
    ground.endpoint.setStacks("us-west-2", [stack()]);
  });

  test("is joined with EC2 by instance id, and what they say differently is shown", async () => {
    const { code, stdout } = await ground.lcops("hosts", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([
      {
        name: "old",
        sources: ["ec2", "opsworks"],
        instanceId: instanceId(1),
        environment: "legacy",
        role: "api+web",
        privateAddress: "10.0.0.1",
        fields: { role: { source: "opsworks" }, privateAddress: { source: "ec2" } },
        conflicts: [{ field: "privateAddress", source: "opsworks", value: "10.9.9.9" }],
      },
      { name: "api2", sources: ["opsworks"], role: "api", state: "running", conflicts: [] },
    ]);
    const pty = openPty(["hosts"], { environment: ground.environment, columns: 140 });
    expect(await pty.exit).toMatchObject({ code: 0 });
    expect(pty.text()).toContain("old: privateAddress is 10.0.0.1 by ec2, 10.9.9.9 by opsworks");
  });

  test("is not asked where the configuration does not say so", async () => {
    ground.configure(({ environments }) => {
      Object.assign(environments?.["dev"]?.aws ?? {}, { opsworks: false });
    });
    expect(await ground.lcops("hosts")).toMatchObject({ code: 0 });
    expect(ground.count("DescribeStacks")).toBe(0);
  });

  test.each([
    ["answers 4xx", { kind: "denied" as const }],
    ["answers a page", { kind: "garbage" as const }],
    ["never answers", { kind: "hang" as const }],
  ])("that %s is a note, and its tags are used", async (_what, fault) => {
    const tags = {
      Name: "old",
      "OpsWorks:Stack": "legacy",
      "opsworks:layer:web": "Web",
      "opsworks:layer:api": "A",
    };
    ground.endpoint.setInstances("us-west-2", [{ instanceId: instanceId(1), tags }]);
    ground.endpoint.fault({ ...fault, service: "opsworks" });
    const { code, stdout, stderr } = await ground.lcops("hosts", "-v", "--json");
    expect(code).toBe(0);
    expect(stderr).toContain("OpsWorks does not answer, its tags are used");
    expect(JSON.parse(stdout)).toMatchObject([
      { name: "old", sources: ["ec2"], environment: "legacy", role: "api+web" },
    ]);
  });

  test("that is gone from the network is a note too, and none in a pipe", async () => {
    const services = "services = s\n[services s]\nopsworks =\n  endpoint_url = http://127.0.0.1:1";
    ground.writeProfiles({}, services);
    expect(await ground.lcops("hosts")).toMatchObject({ code: 0, stderr: "" });
    expect((await ground.lcops("hosts", "--refresh", "-v")).stderr).toContain("ECONNREFUSED");
  });
});

test("config init --yes proposes hosts and services from what EC2 shows, each once", async () => {
  const { LCOPS_CONFIG: _made, ...environment } = ground.environment;
  ground.endpoint.setInstances("us-west-2", [
    named("RedisCache", 1),
    { ...named("stopped", 2), state: "stopped" },
    named("$(id)", 3),
    named("twin", 4),
    named("twin", 5),
  ]);
  ground.endpoint.setInstances("eu-west-1", [named("GraphStats", 6)]);
  const file = `${ground.folder}/made.json`;
  Object.assign(ground.environment, environment);
  const result = await ground.lcops("config", "init", "--yes", "-v", "--config", file);
  expect(result).toMatchObject({ code: 0, stdout: "" });
  expect(result.stderr).toContain("found 5 running machines in AWS");
  const config = configSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  expect(config.hosts).toEqual({
    RedisCache: {
      environment: "dev",
      region: "us-west-2",
      address: { dyn: { tags: { Name: "RedisCache" }, region: "us-west-2" } },
    },
    GraphStats: {
      environment: "prod",
      region: "eu-west-1",
      address: { dyn: { tags: { Name: "GraphStats" }, region: "eu-west-1" } },
    },
  });
  expect(config.services).toMatchObject({
    redis: { host: "RedisCache" },
    graphite: { host: "GraphStats" },
  });
  expect(await ground.lcops("config", "check", "--config", file)).toMatchObject({ code: 0 });
  const listed = await ground.lcops("hosts", "--json", "--config", file);
  expect(JSON.parse(listed.stdout)).toMatchObject([
    { name: "RedisCache", instanceId: instanceId(1), sources: ["config", "ec2"] },
    { name: "GraphStats", instanceId: instanceId(6) },
    { name: "$(id)" },
    { name: "twin" },
    { name: "twin" },
  ]);
});

test("config init proposes a machine that both profiles see once, in the environment of its tag", async () => {
  const { LCOPS_CONFIG: _made, ...environment } = ground.environment;
  Object.assign(ground.environment, environment);
  ground.endpoint.setInstances("us-west-2", [
    { ...named("web"), tags: { Name: "web", Environment: "dev" } },
  ]);
  writeFileSync(
    ground.environment["AWS_CONFIG_FILE"] ?? "",
    ["dev", "prod"]
      .map(
        (name) => `[profile ${name}]\nregion = us-west-2\nendpoint_url = ${ground.endpoint.url}\n`,
      )
      .join("\n"),
  );
  ground.endpoint.setIdentity(KEYS.prod, { account: ACCOUNTS.dev });
  const file = `${ground.folder}/made.json`;
  await ground.lcops("config", "init", "--yes", "--config", file);
  const { hosts } = configSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  expect(hosts).toMatchObject({ web: { environment: "dev" } });
});
