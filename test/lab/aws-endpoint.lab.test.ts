import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findValues } from "./ask-aws.ts";
import { startAwsEndpoint } from "./aws-endpoint.ts";
import type { AwsEndpoint } from "./aws-endpoint.ts";
import { askOpsWorks, askQuery } from "./aws-request.ts";
import type { AwsInstance } from "./aws/state.ts";

let endpoint: AwsEndpoint;
beforeEach(async () => {
  endpoint = await startAwsEndpoint();
});
afterEach(() => endpoint.close());

const makeInstance = (index: number): AwsInstance => ({
  instanceId: `i-0${index.toString(16).padStart(16, "0")}`,
  tags: { Name: `web-${index}` },
});
const list = (fields: Record<string, string> = {}, region = "eu-west-1") =>
  askQuery(endpoint.url, "DescribeInstances", fields, { region });

/** Follows the tokens to the end; returns the number of instances on each page. */
async function countPages(fields: Record<string, string> = {}): Promise<number[]> {
  const pages: number[] = [];
  for (let token: string | undefined = ""; token !== undefined && pages.length < 100;) {
    const { text } = await list({ ...fields, ...(token !== "" && { NextToken: token }) });
    pages.push(findValues(text, "instanceId").length);
    token = findValues(text, "nextToken")[0];
  }
  return pages;
}

describe("DescribeInstances", () => {
  test.each([
    [0, [0]],
    [1, [1]],
    [1_000, [1_000]],
    [1_001, [1_000, 1]],
    [25_000, Array.from({ length: 25 }, () => 1_000)],
  ])("%i instances", async (count, pages) => {
    endpoint.setInstances("eu-west-1", { count, make: makeInstance });
    expect(await countPages({ MaxResults: "1000" })).toEqual(pages);
  });

  test("says what EC2 says, and leaves out what an instance has not", async () => {
    endpoint.setInstances("eu-west-1", [
      {
        instanceId: "i-00000000000000001",
        tags: { Name: 'a <b> & "c"\u001B[31m\nd', "": "" },
        privateIpAddress: "10.0.0.1",
        ipAddress: "203.0.113.1",
        ipv6Addresses: ["2001:db8::1"],
        keyName: "ops",
        launchTime: "2024-01-02T03:04:05.000Z",
      },
      { instanceId: "i-00000000000000002", state: "terminated", privateIpAddress: "10.0.0.2" },
    ]);
    const { status, headers, text } = await list();
    expect([status, headers.get("content-type")]).toEqual([200, "text/xml;charset=UTF-8"]);
    const [first = "", second = ""] = text.split("</reservationId>").slice(1);
    expect(first).toContain("<instanceState><code>16</code><name>running</name></instanceState>");
    expect(first).toContain("<privateIpAddress>10.0.0.1</privateIpAddress>");
    expect(first).toContain("<ipAddress>203.0.113.1</ipAddress>");
    expect(first).toContain("<ipv6Address>2001:db8::1</ipv6Address>");
    expect(first).toContain("<launchTime>2024-01-02T03:04:05.000Z</launchTime>");
    expect(first).toContain("<availabilityZone>eu-west-1a</availabilityZone>");
    expect(first).toContain(
      "<key>Name</key><value>a &lt;b&gt; &amp; &quot;c&quot;?[31m\nd</value>",
    );
    expect(second).toContain("<code>48</code><name>terminated</name>");
    expect(second).not.toMatch(/ipAddress|IpAddress|keyName|tagSet/);
    expect(second).toContain("<dnsName/>");
  });

  test("filters by tag, tag key, state and id, with wildcards", async () => {
    const tagged = (index: number, tags: Record<string, string>, state?: AwsInstance["state"]) => ({
      ...makeInstance(index),
      tags,
      ...(state && { state }),
    });
    endpoint.setInstances("eu-west-1", [
      tagged(1, { Name: "cache", "opsworks:stack": "prod" }),
      tagged(2, { Name: "cache*", "opsworks:layer:api": "API" }),
      tagged(3, { Name: "cache" }, "stopped"),
      { instanceId: makeInstance(4).instanceId },
    ]);
    const find = async (...filters: [string, ...string[]][]) => {
      const fields = filters.flatMap(([name, ...values], index) => [
        [`Filter.${index + 1}.Name`, name],
        ...values.map((value, at) => [`Filter.${index + 1}.Value.${at + 1}`, value]),
      ]);
      const { text } = await list(Object.fromEntries(fields));
      return findValues(text, "instanceId").map((id) => Number(id.at(-1)));
    };
    expect(await find(["tag:Name", "cache"])).toEqual([1, 3]);
    expect(await find(["tag:Name", "cache"], ["instance-state-name", "running"])).toEqual([1]);
    expect(await find(["tag:Name", "cache*"])).toEqual([1, 2, 3]);
    expect(await find(["tag:Name", String.raw`cache\*`])).toEqual([2]);
    expect(await find(["tag-key", "opsworks:*"])).toEqual([1, 2]);
    expect(await find(["tag:opsworks:stack", "prod", "dev"])).toEqual([1]);
    expect(await find(["tag:constructor", "*"])).toEqual([]);
    expect(await find(["instance-id", makeInstance(4).instanceId])).toEqual([4]);
    const { status, text } = await list({ "Filter.1.Name": "nmae", "Filter.1.Value.1": "x" });
    expect([status, findValues(text, "Message")]).toEqual([400, ["The filter 'nmae' is invalid"]]);
  });

  test("refuses what EC2 refuses", async () => {
    endpoint.setInstances("eu-west-1", [makeInstance(1)]);
    const refusal = async (fields: Record<string, string>) => {
      const { status, text } = await list(fields);
      return [status, findValues(text, "Code")[0]];
    };
    const id = makeInstance(1).instanceId;
    expect(await refusal({ MaxResults: "4" })).toEqual([400, "InvalidParameterValue"]);
    expect(await refusal({ MaxResults: "1001" })).toEqual([400, "InvalidParameterValue"]);
    expect(await refusal({ MaxResults: "5", "InstanceId.1": id })).toEqual([
      400,
      "InvalidParameterCombination",
    ]);
    expect(await refusal({ NextToken: "x" })).toEqual([400, "InvalidParameterValue"]);
    expect(await refusal({ "InstanceId.1": "i-0000000000000000f" })).toEqual([
      400,
      "InvalidInstanceID.NotFound",
    ]);
    expect(await refusal({ "InstanceId.1": "$(id)" })).toEqual([
      400,
      "InvalidInstanceID.Malformed",
    ]);
    expect(await refusal({ "InstanceId.1": id })).toEqual([200, undefined]);
  });

  test("one account does not see what another has", async () => {
    endpoint.setIdentity("AKIAOTHER", { account: "222222222222" });
    endpoint.setInstances("eu-west-1", [makeInstance(1), makeInstance(2)]);
    endpoint.setInstances("eu-west-1", [makeInstance(3)], "222222222222");
    const asked = await askQuery(endpoint.url, "DescribeInstances", {}, { key: "AKIAOTHER" });
    expect(findValues(asked.text, "instanceId")).toEqual([makeInstance(3).instanceId]);
    expect(findValues(asked.text, "ownerId")).toEqual(["222222222222"]);
    expect(await countPages()).toEqual([2]);
    expect(findValues((await list({}, "us-west-2")).text, "instanceId")).toEqual([]);
  });
});

test("DescribeAddresses by allocation and by tag", async () => {
  endpoint.setAddresses("eu-west-1", [
    { allocationId: "eipalloc-1", publicIp: "203.0.113.1", tags: { Name: "GraphStats" } },
    { allocationId: "eipalloc-2", publicIp: "203.0.113.2", instanceId: "i-00000000000000001" },
  ]);
  const find = async (fields: Record<string, string>) => {
    const { text } = await askQuery(endpoint.url, "DescribeAddresses", fields);
    return findValues(text, "publicIp");
  };
  expect(await find({})).toEqual(["203.0.113.1", "203.0.113.2"]);
  expect(await find({ "AllocationId.1": "eipalloc-2" })).toEqual(["203.0.113.2"]);
  expect(await find({ "Filter.1.Name": "tag:Name", "Filter.1.Value.1": "GraphStats" })).toEqual([
    "203.0.113.1",
  ]);
  const unknown = await askQuery(endpoint.url, "DescribeAddresses", { "AllocationId.1": "x" });
  expect(findValues(unknown.text, "Code")).toEqual(["InvalidAllocationID.NotFound"]);
});

test("GetConsoleOutput has what was shown after the start, and the newest where there is one", async () => {
  endpoint.setConsole("i-1", { output: "first\r\n" });
  endpoint.setConsole("i-2", { output: "first\r\n", latest: "last" });
  const ask = async (InstanceId: string, more: Record<string, string> = {}) => {
    const { status, text } = await askQuery(endpoint.url, "GetConsoleOutput", {
      InstanceId,
      ...more,
    });
    const [output] = findValues(text, "output");
    return [status, output === undefined ? undefined : Buffer.from(output, "base64").toString()];
  };
  expect(await ask("i-1")).toEqual([200, "first\r\n"]);
  expect(await ask("i-1", { Latest: "true" })).toEqual([400, undefined]);
  expect(await ask("i-2", { Latest: "true" })).toEqual([200, "last"]);
  expect(await ask("i-3")).toEqual([200, undefined]);
});

test("DescribeRegions leaves out those that are not enabled, unless asked for all", async () => {
  endpoint.setRegions({ "eu-west-1": "opt-in-not-required", "af-south-1": "not-opted-in" });
  const names = async (fields: Record<string, string>) =>
    findValues((await askQuery(endpoint.url, "DescribeRegions", fields)).text, "regionName");
  expect(await names({})).toEqual(["eu-west-1"]);
  expect(await names({ AllRegions: "true" })).toEqual(["eu-west-1", "af-south-1"]);
});

test("GetCallerIdentity tells the account of each key", async () => {
  endpoint.setIdentity("AKIADEV", {
    account: "111111111111",
    arn: "arn:aws:iam::111111111111:user/eve",
  });
  const ask = (key: string) =>
    askQuery(endpoint.url, "GetCallerIdentity", {}, { service: "sts", key });
  expect(findValues((await ask("AKIADEV")).text, "Account")).toEqual(["111111111111"]);
  expect(findValues((await ask("AKIADEV")).text, "Arn")).toEqual([
    "arn:aws:iam::111111111111:user/eve",
  ]);
  expect(findValues((await ask("AKIAOTHER")).text, "Account")).toEqual(["123456789012"]);
});

test("OpsWorks describes stacks, their layers and instances", async () => {
  const layer = { LayerId: "l1", Name: "API Server", Shortname: "api" };
  const instance = {
    InstanceId: "o1",
    Hostname: "api1",
    LayerIds: ["l1"],
    ElasticIp: "203.0.113.9",
  };
  endpoint.setStacks("us-east-1", [
    { StackId: "s1", Name: "prod", layers: [layer], instances: [instance] },
    { StackId: "s2", Name: "dev", layers: [], instances: [] },
  ]);
  const ask = async (action: string, params = {}) => {
    const { status, text } = await askOpsWorks(endpoint.url, action, params, {
      region: "us-east-1",
    });
    return { status, ...(JSON.parse(text) as object) };
  };
  expect(await ask("DescribeStacks")).toMatchObject({
    Stacks: [{ Name: "prod" }, { StackId: "s2" }],
  });
  expect(await ask("DescribeLayers", { StackId: "s1" })).toMatchObject({
    Layers: [{ ...layer, StackId: "s1", Type: "custom" }],
  });
  const described = { Instances: [{ ...instance, StackId: "s1", Status: "online" }] };
  expect(await ask("DescribeInstances", { StackId: "s1" })).toMatchObject(described);
  expect(await ask("DescribeInstances", { LayerId: "l1" })).toMatchObject(described);
  expect(await ask("DescribeInstances", { StackId: "s2" })).toEqual({ status: 200, Instances: [] });
  expect(await ask("DescribeInstances")).toMatchObject({
    status: 400,
    __type: "ValidationException",
  });
  expect(await ask("DescribeInstances", { StackId: "s3" })).toMatchObject({
    status: 400,
    __type: "ResourceNotFoundException",
  });
});

test("refuses what is not signed and what it does not know, and keeps a record of the rest", async () => {
  const bare = await fetch(endpoint.url, { method: "POST", body: "Action=DescribeInstances" });
  expect(bare.status).toBe(403);
  const unknown = await askQuery(endpoint.url, "DeleteVpc", { VpcId: "x" }, { key: "AKIA1" });
  expect(findValues(unknown.text, "Code")).toEqual(["InvalidAction"]);
  expect(endpoint.requests).toMatchObject([
    {
      service: "ec2",
      action: "DeleteVpc",
      region: "eu-west-1",
      accessKeyId: "AKIA1",
      account: "123456789012",
      params: { VpcId: "x" },
    },
  ]);
});

describe("faults", () => {
  beforeEach(() => endpoint.setInstances("eu-west-1", [makeInstance(1)]));

  test.each([
    ["throttle", [503, "RequestLimitExceeded"], [400, "Throttling"], [400, "ThrottlingException"]],
    ["expired", [400, "RequestExpired"], [403, "ExpiredToken"], [400, "ExpiredTokenException"]],
    [
      "denied",
      [403, "UnauthorizedOperation"],
      [403, "AccessDenied"],
      [400, "AccessDeniedException"],
    ],
    [
      "opt-in",
      [401, "AuthFailure"],
      [403, "InvalidClientTokenId"],
      [400, "UnrecognizedClientException"],
    ],
    ["not-subscribed", [401, "OptInRequired"], [403, "OptInRequired"], [400, "OptInRequired"]],
    [
      "clock",
      [400, "RequestExpired"],
      [403, "SignatureDoesNotMatch"],
      [400, "InvalidSignatureException"],
    ],
  ] as const)("%s, as each service words it", async (kind, ec2, sts, opsworks) => {
    endpoint.fault({ kind });
    const first = await list();
    expect([first.status, findValues(first.text, "Code")[0]]).toEqual(ec2);
    const second = await askQuery(endpoint.url, "GetCallerIdentity", {}, { service: "sts" });
    expect([second.status, findValues(second.text, "Code")[0]]).toEqual(sts);
    const third = await askOpsWorks(endpoint.url, "DescribeStacks");
    expect([third.status, (JSON.parse(third.text) as { __type: string }).__type]).toEqual(opsworks);
    endpoint.clearFaults();
    expect((await list()).status).toBe(200);
  });

  test("a rule holds for its service, action, region and page, as often as it says", async () => {
    endpoint.setInstances("eu-west-1", { count: 12, make: makeInstance });
    endpoint.fault({
      kind: "throttle",
      action: "DescribeInstances",
      region: "eu-west-1",
      onPage: 2,
      times: 1,
    });
    const first = await list({ MaxResults: "5" });
    const [token = ""] = findValues(first.text, "nextToken");
    expect([first.status, (await list({}, "us-west-2")).status]).toEqual([200, 200]);
    expect((await list({ MaxResults: "5", NextToken: token })).status).toBe(503);
    expect((await list({ MaxResults: "5", NextToken: token })).status).toBe(200);
  });

  test("a clock that is wrong serves whoever follows it", async () => {
    const mend = endpoint.fault({ kind: "clock", skewMs: 3_600_000 });
    const late = await list();
    const serverTime = new Date(late.headers.get("date") ?? "");
    expect(serverTime.getTime() - Date.now()).toBeGreaterThan(3_500_000);
    const right = await askQuery(endpoint.url, "DescribeInstances", {}, { date: serverTime });
    expect([late.status, right.status]).toEqual([400, 200]);
    mend();
    expect((await list()).status).toBe(200);
  });

  test("a region that hangs answers nobody, and the others do", async () => {
    endpoint.fault({ kind: "hang", region: "eu-west-1" });
    const signal = AbortSignal.timeout(100);
    await expect(askQuery(endpoint.url, "DescribeInstances", {}, { signal })).rejects.toThrow(
      "timeout",
    );
    expect((await list({}, "us-west-2")).status).toBe(200);
  });

  test("slow, cut and garbage", async () => {
    endpoint.fault({ kind: "slow", ms: 50, times: 1 });
    const begin = performance.now();
    expect((await list()).status).toBe(200);
    expect(performance.now() - begin).toBeGreaterThan(45);
    endpoint.fault({ kind: "cut", times: 1 });
    await expect(list()).rejects.toThrow("terminated");
    endpoint.fault({ kind: "garbage", times: 1 });
    const { status, text } = await list();
    expect([status, text.startsWith("<html>")]).toEqual([502, true]);
  });

  test("a repeated token never ends, an empty page goes on where it was", async () => {
    endpoint.setInstances("eu-west-1", { count: 12, make: makeInstance });
    endpoint.fault({ kind: "empty-page", onPage: 2, times: 1 });
    expect(await countPages({ MaxResults: "5" })).toEqual([5, 0, 5, 2]);
    endpoint.fault({ kind: "repeat-token" });
    const first = findValues((await list()).text, "nextToken");
    const again = findValues((await list({ NextToken: first[0] ?? "" })).text, "nextToken");
    expect(again).toEqual(first);
  });
});
