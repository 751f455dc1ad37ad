import { readFileSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseConfig, type Config } from "../support/known-config.ts";
import {
  ACCOUNTS,
  instanceId,
  KEYS,
  makeAwsGround,
  type AwsGround,
} from "../support/aws-ground.ts";
import { openPty } from "../support/pty.ts";
import type { LcopsResult } from "../support/run-lcops.ts";

let ground: AwsGround;
let file: string;
beforeEach(async () => {
  ground = await makeAwsGround();
  delete ground.environment["LCOPS_CONFIG"];
  file = `${ground.folder}/made.json`;
});
afterEach(() => ground.remove());

const named = (name: string, index = 1) => ({
  instanceId: instanceId(index),
  tags: { Name: name },
  privateIpAddress: `10.0.0.${index}`,
});
const init = (...flags: string[]): Promise<LcopsResult> =>
  ground.lcops("config", "init", "--config", file, ...flags);
const readMade = (): Config => parseConfig(JSON.parse(readFileSync(file, "utf8")));

test("config init --yes proposes hosts and services from what EC2 shows, each once", async () => {
  ground.endpoint.setInstances("us-west-2", [
    named("RedisCache", 1),
    { ...named("stopped", 2), state: "stopped" },
    named("$(id)", 3),
    named("twin", 4),
    named("twin", 5),
  ]);
  ground.endpoint.setInstances("eu-west-1", [named("GraphStats", 6)]);
  const result = await init("--yes", "-v");
  expect(result).toMatchObject({ code: 0, stdout: "" });
  expect(result.stderr).toContain("found 5 running machines in AWS");
  const config = readMade();
  expect(config.environments).toEqual({
    dev: {
      production: false,
      aws: { profile: "dev", account: ACCOUNTS.dev, regions: ["us-west-2"] },
    },
    prod: {
      production: true,
      aws: { profile: "prod", account: ACCOUNTS.prod, regions: ["eu-west-1"] },
    },
  });
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
  expect(JSON.parse(listed.stdout)).toMatchObject({
    hosts: [
      { name: "RedisCache", instanceId: instanceId(1), sources: ["config", "ec2"] },
      { name: "GraphStats", instanceId: instanceId(6) },
      { name: "$(id)" },
      { name: "twin" },
      { name: "twin" },
    ],
  });
});

test("config init proposes a machine that both profiles see once, in the environment of its tag", async () => {
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
  await init("--yes");
  const { hosts } = readMade();
  expect(hosts).toMatchObject({ web: { environment: "dev" } });
});

test("config init takes a machine that no tag tells apart for one of production", async () => {
  ground.endpoint.setInstances("us-west-2", [named("web")]);
  ground.endpoint.setIdentity(KEYS.prod, { account: ACCOUNTS.dev });
  ground.writeProfiles();
  writeFileSync(
    ground.environment["AWS_CONFIG_FILE"] ?? "",
    ["dev", "prod"]
      .map(
        (name) => `[profile ${name}]\nregion = us-west-2\nendpoint_url = ${ground.endpoint.url}\n`,
      )
      .join("\n"),
  );
  await init("--yes");
  const { hosts, environments } = readMade();
  expect(hosts).toMatchObject({ web: { environment: "prod" } });
  for (const name of ["dev", "prod"]) expect(environments?.[name]?.aws?.account).toBe(ACCOUNTS.dev);
});

test("config init names a region that fails, proposes the rest and the account that it has seen, and ends with 3", async () => {
  ground.endpoint.setInstances("us-west-2", [named("web")]);
  ground.endpoint.fault({ kind: "denied", service: "ec2", region: "eu-west-1" });
  for (const flags of [["--dry-run", "--yes"], ["--yes"]]) {
    const { code, stderr } = await init(...flags);
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /^lcops: ec2:DescribeInstances in eu-west-1 \(profile prod\): permission denied .*; its hosts are not proposed; have ec2:DescribeInstances allowed for it$/m,
    );
  }
  const { hosts, environments } = readMade();
  expect(Object.keys(hosts ?? {})).toEqual(["web"]);
  expect(environments?.["prod"]?.aws).toEqual({
    profile: "prod",
    account: ACCOUNTS.prod,
    regions: ["eu-west-1"],
  });
});

test("config init on a terminal puts what EC2 shows into the file", async () => {
  ground.endpoint.setInstances("us-west-2", [named("RedisCache")]);
  const pty = openPty(["config", "init", "--config", file], { environment: ground.environment });
  await pty.waitFor(/Environments, separated by commas:.*dev,prod/);
  pty.type("dev\r");
  await pty.waitFor(/Is dev production\?[^]*❯ no/);
  pty.press("enter");
  await pty.waitFor(/AWS profile of dev:[^]*❯ dev/);
  pty.press("enter");
  await pty.waitFor(/AWS regions of dev, separated by commas:.*us-west-2/);
  pty.press("enter");
  await pty.waitFor(/found 1 running machine in AWS/);
  expect(await pty.exit).toMatchObject({ code: 0 });
  expect(readMade()).toMatchObject({
    environments: { dev: { aws: { account: ACCOUNTS.dev } } },
    hosts: { RedisCache: { environment: "dev" } },
    services: { redis: { host: "RedisCache" } },
  });
});
