import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { askEc2, findValue, findValues } from "./ask-aws.ts";
import { askOpsWorks, askQuery } from "./aws-request.ts";
import type { LabAws } from "./lab.ts";
import { findMoto } from "./moto-cache.ts";
import { replaceInstance } from "./replace-instance.ts";
import { startLab } from "./start-lab.ts";
import { useLab } from "../support/lab.ts";

const lab = await useLab("aws", "opsworks", "dynamodb", "hosts", "bastion");

function sharedAws(): LabAws {
  if (!lab.aws) throw new Error("the lab has no AWS");
  return lab.aws;
}

const search = (aws: LabAws, name: string, region: string) =>
  askEc2({ endpointUrl: aws.endpointUrl, region }, "DescribeInstances", {
    "Filter.1.Name": "tag:Name",
    "Filter.1.Value.1": name,
    "Filter.2.Name": "instance-state-name",
    "Filter.2.Value.1": "running",
  });

test("each machine is an instance, at the address of its sshd", async () => {
  const aws = sharedAws();
  for (const [name, { region, instanceId }] of Object.entries(aws.instances)) {
    const xml = await search(aws, name, region);
    expect(findValues(xml, "reservationId"), name).toHaveLength(1);
    expect(findValue(xml, "instanceId")).toBe(instanceId);
    const host = lab.hosts[name];
    if (host && host.address.startsWith("127."))
      expect(findValue(xml, "privateIpAddress")).toBe(host.address);
  }
});

test("elastic IPs are tagged, and an instance of OpsWorks is found by its tags and by the API", async () => {
  const aws = sharedAws();
  const addresses = await Promise.all(
    aws.regions.map((region) =>
      askEc2({ endpointUrl: aws.endpointUrl, region }, "DescribeAddresses"),
    ),
  );
  expect(addresses.flatMap((xml) => findValues(xml, "value")).toSorted()).toEqual([
    "GraphStats",
    "Jenkins-Oregon",
    "TextLogs",
  ]);
  const place = { endpointUrl: aws.endpointUrl, region: "us-west-2" };
  const tagged = await askEc2(place, "DescribeInstances", {
    "Filter.1.Name": "tag-key",
    "Filter.1.Value.1": "opsworks:layer:api",
  });
  const id = aws.instances["dev-api3-2"]?.instanceId;
  expect(findValue(tagged, "instanceId")).toBe(id);
  const region = { region: "us-west-2" };
  const stacks = await askOpsWorks(aws.opsworksUrl, "DescribeStacks", {}, region);
  const { Stacks } = JSON.parse(stacks.text) as { Stacks: { StackId: string; Name: string }[] };
  expect(Stacks.map(({ Name }) => Name)).toEqual(["dev"]);
  const { StackId } = Stacks[0] ?? {};
  const answer = await askOpsWorks(aws.opsworksUrl, "DescribeInstances", { StackId }, region);
  expect(JSON.parse(answer.text)).toMatchObject({
    Instances: [{ Hostname: "dev-api3-2", Ec2InstanceId: id }],
  });
});

test("the environment leads to the lab's AWS alone", async () => {
  const aws = sharedAws();
  const variables = Object.keys(lab.environment).filter((name) => name.startsWith("AWS_"));
  expect(variables.toSorted()).toEqual([
    "AWS_CONFIG_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_SHARED_CREDENTIALS_FILE",
  ]);
  const config = readFileSync(lab.environment["AWS_CONFIG_FILE"] ?? "", "utf8");
  expect(config).toContain(
    `[profile dev]\nregion = us-west-2\nendpoint_url = ${aws.endpointUrl}\n`,
  );
  expect(config).toContain(`opsworks =\n  endpoint_url = ${aws.opsworksUrl}\n`);
  const caller = await askQuery(
    aws.endpointUrl,
    "GetCallerIdentity",
    { Version: "2011-06-15" },
    { service: "sts" },
  );
  expect(findValue(caller.text, "Account")).toBe(aws.accountId);
});

async function checkReplacement(): Promise<LabAws["state"] | undefined> {
  const own = await startLab({ parts: ["aws"] });
  try {
    const { aws } = own;
    if (!aws) return undefined;
    const first = await replaceInstance(aws, "RedisCache");
    expect(first.instanceId).not.toBe(aws.instances["RedisCache"]?.instanceId);
    const wish = { privateIpAddress: "127.200.3.4" };
    const second = await replaceInstance(aws, "RedisCache", wish);
    const xml = await search(aws, "RedisCache", "eu-west-1");
    expect(findValues(xml, "instanceId")).toEqual([second.instanceId]);
    expect(findValue(xml, "privateIpAddress")).toBe(wish.privateIpAddress);
    expect(findValues(xml, "value").toSorted()).toEqual(["RedisCache", "cache", "prod"]);
    await expect(replaceInstance(aws, "spot-worker")).rejects.toThrow("not exactly one");
    return aws.state;
  } finally {
    await own.stop();
  }
}

describe("a replaced instance has its name and another id", () => {
  test.skipIf(findMoto(process.env) === undefined)("moto (npm run lab:fetch)", async () => {
    expect(await checkReplacement()).toBe("emulator");
  });

  test("stand-in", async () => {
    const before = process.env["LCOPS_LAB_ONLY"];
    process.env["LCOPS_LAB_ONLY"] = "debian";
    try {
      expect(await checkReplacement()).toBe("stand-in");
    } finally {
      if (before === undefined) delete process.env["LCOPS_LAB_ONLY"];
      else process.env["LCOPS_LAB_ONLY"] = before;
    }
  });
});
