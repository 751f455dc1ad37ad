import { readFileSync, statSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
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

test("a wrong account keeps every other profile from being asked anything, at listing and at connecting", async () => {
  ground.configure((config) => {
    Object.assign(config.environments?.["prod"]?.aws ?? {}, { account: "999999999999" });
    Object.assign(config.environments?.["dev"]?.aws ?? {}, { account: ACCOUNTS.dev });
    config.hosts = { box: { address: { dyn: { tags: { Name: "old" } } } } };
  });
  // The others would have had their answers long before it is known who this one is.
  ground.endpoint.fault({ kind: "slow", service: "sts", accessKeyId: KEYS.prod, ms: 400 });
  for (const args of [["hosts"], ["ssh", "box", "--", "true"]]) {
    const { stderr } = await ground.lcops(...args);
    expect(stderr).toContain(`belongs to account ${ACCOUNTS.prod}, the configuration says 9999`);
    expect(ground.endpoint.requests.filter(({ service }) => service !== "sts")).toEqual([]);
  }
});

test("an environment without regions is named: AWS has machines of its that nobody asks for", async () => {
  ground.configure(({ environments }) => {
    Object.assign(environments?.["dev"]?.aws ?? {}, { regions: undefined });
  });
  const { code, stdout, stderr } = await ground.lcops("hosts", "--json");
  expect(code).toBe(3);
  expect(stderr).toContain("the environment dev has no regions in the configuration");
  expect(JSON.parse(stdout)).toMatchObject({
    hosts: [],
    gaps: [{ kind: "configuration", next: "give it regions, or name them with --region" }],
  });
});

test("a wrong account is refused at once, whoever else does not answer", async () => {
  ground.configure(({ environments }) => {
    Object.assign(environments?.["prod"]?.aws ?? {}, { account: "999999999999" });
  });
  ground.endpoint.fault({ kind: "hang", service: "sts", accessKeyId: KEYS.dev });
  const began = performance.now();
  expect(await ground.lcops("hosts")).toMatchObject({ code: 5, stdout: "" });
  expect(performance.now() - began).toBeLessThan(10_000);
});

test("in a pipe the last column is when AWS was asked, and JSON has it for all", async () => {
  ground.configure((config) => {
    config.hosts = { plain: { address: { dns: "plain.example.com" } } };
  });
  const { asOf } = JSON.parse((await ground.lcops("hosts", "--json", "--env", "dev")).stdout) as {
    asOf: string;
  };
  expect(Date.now() - Date.parse(asOf)).toBeLessThan(60_000);
  const { stdout } = await ground.lcops("hosts");
  const last = Object.fromEntries(
    stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => [line.split("\t")[0], line.split("\t").at(-1)]),
  );
  expect(last).toEqual({ plain: "", old: asOf });
});
