import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect } from "vitest";
import type { Config } from "../support/known-config.ts";
import { askEc2, networkOf, runInstance } from "../lab/ask-aws.ts";
import { lookUpThroughEc2 } from "../lab/config-inventory.ts";
import type { Lab, LabAws } from "../lab/lab.ts";
import { replaceInstance } from "../lab/replace-instance.ts";
import { startLab } from "../lab/start-lab.ts";
import { testWith } from "../support/lab.ts";
import { runLcops, type LcopsResult } from "../support/run-lcops.ts";

let lab: Lab;
let aws: LabAws;
beforeAll(async () => {
  // Its instances are ended and replaced: not those of the lab that all share.
  lab = await startLab({ parts: ["aws", "hosts"], ports: "free" });
  if (!lab.aws) throw new Error("the lab has no AWS");
  aws = lab.aws;
  const config = JSON.parse(readFileSync(lab.configPath, "utf8")) as Config;
  const changed = lookUpThroughEc2(config, ["RedisCache"], { use: "private" });
  writeFileSync(lab.configPath, JSON.stringify(changed));
});
afterAll(() => lab.stop());

const reach = (...flags: string[]): Promise<LcopsResult> =>
  runLcops([...flags, "ssh", "RedisCache", "--", "echo $LAB_HOST"], {
    environment: lab.environment,
  });

testWith("hosts", "aws")(
  "a host that only EC2 knows is reached, and again once another instance has its name, which is said",
  async () => {
    expect(await reach()).toEqual({ code: 0, signal: null, stdout: "RedisCache\n", stderr: "" });
    const { instanceId } = await replaceInstance(aws, "RedisCache");
    const second = await reach();
    expect(second).toMatchObject({ code: 0, stdout: "RedisCache\n" });
    expect(second.stderr).toContain(`RedisCache: same name, other instance: ${instanceId}`);
    expect(second.stderr).toContain(`it was ${aws.instances["RedisCache"]?.instanceId}`);
    // It is news once.
    expect(await reach()).toMatchObject({ code: 0, stdout: "RedisCache\n", stderr: "" });
  },
);

testWith("hosts", "aws")(
  "another instance of its name is news until it has proved by its key who it is, and to each configuration",
  async () => {
    const config = JSON.parse(readFileSync(lab.configPath, "utf8")) as Config;
    const settings = readFileSync(config.ssh?.configFile ?? "", "utf8");
    const [own, configFile] = [`${lab.configPath}.own.json`, `${lab.configPath}.ssh`];
    writeFileSync(own, JSON.stringify({ ...config, ssh: { configFile } }));
    writeFileSync(configFile, settings);
    expect(await reach()).toMatchObject({ code: 0 });
    expect(await reach("--config", own)).toMatchObject({ code: 0, stderr: "" });

    const { instanceId } = await replaceInstance(aws, "RedisCache");
    const news = `same name, other instance: ${instanceId}`;
    // As if it had a key that nobody knows.
    writeFileSync(configFile, `Host *\n  UserKnownHostsFile /dev/null\n${settings}`);
    for (const _again of [1, 2]) {
      const refused = await reach("--config", own);
      expect(refused).toMatchObject({ code: 255, stdout: "" });
      expect(refused.stderr).toContain(news);
    }
    writeFileSync(configFile, settings);
    for (const path of [lab.configPath, own]) {
      expect((await reach("--config", path)).stderr).toContain(news);
      expect(await reach("--config", path)).toMatchObject({ code: 0, stderr: "" });
    }
  },
);

testWith("hosts", "aws")(
  "with two of its name none is taken, a stopped one is passed by, and with none it says so",
  async () => {
    const before = await replaceInstance(aws, "RedisCache");
    const place = { endpointUrl: aws.endpointUrl, region: before.region };
    const host = lab.hosts["RedisCache"]?.address ?? "";
    const other = host.replace(/\d+$/, (last) => String(Number(last) === 250 ? 249 : 250));
    const xml = await askEc2(place, "DescribeInstances", { "InstanceId.1": before.instanceId });
    const subnetId = /<subnetId>([^<]+)/.exec(xml)?.[1] ?? "";
    expect(networkOf(other)).toBe(networkOf(host));
    const twin = await runInstance(place, {
      subnetId,
      privateIpAddress: other,
      instanceType: "t3.small",
      tags: { Name: "RedisCache" },
    });
    const refused = await reach();
    expect(refused).toMatchObject({ code: 255, stdout: "" });
    expect(refused.stderr).toContain("2 running instances have Name=RedisCache");
    for (const id of [before.instanceId, twin])
      expect(refused.stderr).toMatch(new RegExp(`${id} in eu-west-1, .*, since \\d{4}-`));

    await askEc2(place, "StopInstances", { "InstanceId.1": twin });
    expect(await reach()).toMatchObject({ code: 0, stdout: "RedisCache\n" });

    await askEc2(place, "TerminateInstances", { "InstanceId.1": before.instanceId });
    const none = await reach();
    expect(none).toMatchObject({ code: 255, stdout: "" });
    expect(none.stderr).toContain("no running instance has Name=RedisCache in eu-west-1");
  },
);

testWith("hosts", "aws")(
  "a host that is known by the tags of its elastic IP is one row with its instance",
  async () => {
    const config = JSON.parse(readFileSync(lab.configPath, "utf8")) as Config;
    const path = `${lab.configPath}.eip.json`;
    const eip = { tags: { Name: "GraphStats" } };
    const host = { ...config.hosts?.["GraphStats"], address: { eip } };
    const { environments, ssh } = config;
    writeFileSync(path, JSON.stringify({ environments, ssh, hosts: { gate: host } }));
    const result = await runLcops(["hosts", "--json", "--config", path], {
      environment: lab.environment,
    });
    expect(result).toMatchObject({ code: 0, stderr: "" });
    const { hosts } = JSON.parse(result.stdout) as {
      hosts: { name: string; instanceId: string }[];
    };
    const { instanceId } = aws.instances["GraphStats"] ?? {};
    expect(hosts.filter((one) => one.instanceId === instanceId)).toMatchObject([
      { name: "gate", sources: ["config", "ec2"], addressKind: "eip" },
    ]);
  },
);
