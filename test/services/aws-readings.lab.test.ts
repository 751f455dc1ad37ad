/** Load balancers and Route 53 of moto, in an account that no other test looks at. */
import {
  CreateLoadBalancerCommand,
  ElasticLoadBalancingClient,
  RegisterInstancesWithLoadBalancerCommand,
} from "@aws-sdk/client-elastic-load-balancing";
import {
  CreateTargetGroupCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { CloudWatchClient, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { DescribeSubnetsCommand, EC2Client, RunInstancesCommand } from "@aws-sdk/client-ec2";
import {
  ChangeTagsForResourceCommand,
  CreateHealthCheckCommand,
  Route53Client,
} from "@aws-sdk/client-route-53";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { randomInt } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { readInstanceStatus } from "../../src/inventory/instance-status.ts";
import { readClassic } from "../../src/services/load-balancers/read-classic.ts";
import { readTargets } from "../../src/services/load-balancers/read-targets.ts";
import { readHealthChecks } from "../../src/services/route53/read-health-checks.ts";
import { useLab } from "../support/lab.ts";

const aws = (await useLab("aws")).aws;
const region = "us-west-2";
const scope = { region };
const access = () => ({ environment: process.env, signal: AbortSignal.timeout(20_000) });

describe.skipIf(aws?.state !== "emulator")("an account of its own", () => {
  const settings = () => ({ region, endpoint: aws?.endpointUrl ?? "" });
  let instanceId = "";
  let vpcId = "";
  beforeAll(async () => {
    const credentials = { accessKeyId: "AKIALCOPSLABSEED0000", secretAccessKey: "x" };
    const sts = new STSClient({ ...settings(), credentials });
    const { Credentials } = await sts.send(
      new AssumeRoleCommand({
        RoleArn: `arn:aws:iam::${randomInt(1e11, 1e12)}:role/health`,
        RoleSessionName: "health",
      }),
    );
    vi.stubEnv("AWS_ENDPOINT_URL", aws?.endpointUrl ?? "");
    vi.stubEnv("AWS_ACCESS_KEY_ID", Credentials?.AccessKeyId ?? "");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", Credentials?.SecretAccessKey ?? "");
    vi.stubEnv("AWS_SESSION_TOKEN", Credentials?.SessionToken ?? "");
    const ec2 = new EC2Client(settings());
    const { Subnets = [] } = await ec2.send(new DescribeSubnetsCommand({}));
    vpcId = Subnets[0]?.VpcId ?? "";
    const { Instances = [] } = await ec2.send(
      new RunInstancesCommand({ ImageId: "ami-0abcdef1234567890", MinCount: 1, MaxCount: 1 }),
    );
    instanceId = Instances[0]?.InstanceId ?? "";
  });
  afterAll(() => vi.unstubAllEnvs());

  test("EC2's checks are told of all that pass together", async () => {
    expect(await readInstanceStatus(scope, () => undefined, access())).toEqual([
      { area: "ec2", name: "instances", state: "ok", detail: "1 instance passes EC2's checks" },
    ]);
  });

  test("a target group is as its targets are; an empty one is not well", async () => {
    const client = new ElasticLoadBalancingV2Client(settings());
    for (const Name of ["api", "empty"]) {
      const { TargetGroups = [] } = await client.send(
        new CreateTargetGroupCommand({ Name, Protocol: "HTTP", Port: 80, VpcId: vpcId }),
      );
      if (Name === "empty") continue;
      const TargetGroupArn = TargetGroups[0]?.TargetGroupArn;
      await client.send(
        new RegisterTargetsCommand({ TargetGroupArn, Targets: [{ Id: instanceId }] }),
      );
    }
    expect(await readTargets(scope, access())).toEqual([
      // No listener leads to it: moto and AWS say that it is unused.
      {
        area: "balancer",
        name: "api",
        state: expect.stringMatching(/^(ok|unknown)$/),
        detail: expect.stringMatching(/^(1 of 1 healthy$|0 of 1 healthy; i-[0-9a-f]+:80 unused)/),
      },
      { area: "balancer", name: "empty", state: "unknown", detail: "nothing is registered" },
    ]);
  });

  test("a Classic Load Balancer is as its instances are", async () => {
    const client = new ElasticLoadBalancingClient(settings());
    await client.send(
      new CreateLoadBalancerCommand({
        LoadBalancerName: "www",
        AvailabilityZones: ["us-west-2a"],
        Listeners: [{ Protocol: "HTTP", LoadBalancerPort: 80, InstancePort: 80 }],
      }),
    );
    await client.send(
      new RegisterInstancesWithLoadBalancerCommand({
        LoadBalancerName: "www",
        Instances: [{ InstanceId: instanceId }],
      }),
    );
    expect(await readClassic(scope, access())).toMatchObject([
      { area: "balancer", name: "www", state: "ok", detail: "1 of 1 healthy" },
    ]);
  });

  test("Route 53's checks have their names, and one that nobody observes its metric", async () => {
    const client = new Route53Client(settings());
    const create = async (CallerReference: string, Type: "HTTP" | "CALCULATED") => {
      const isHttp = Type === "HTTP";
      const { HealthCheck } = await client.send(
        new CreateHealthCheckCommand({
          CallerReference,
          HealthCheckConfig: isHttp
            ? { Type, FullyQualifiedDomainName: "www.example.com", Port: 80, ResourcePath: "/up" }
            : { Type, HealthThreshold: 1, ChildHealthChecks: [] },
        }),
      );
      return HealthCheck?.Id ?? "";
    };
    await create("1", "HTTP");
    const calculated = await create("2", "CALCULATED");
    await client.send(
      new ChangeTagsForResourceCommand({
        ResourceType: "healthcheck",
        ResourceId: calculated,
        AddTags: [{ Key: "Name", Value: "everything" }],
      }),
    );
    const read = async () =>
      Object.fromEntries(
        (await readHealthChecks(scope, access())).map(({ name, state, detail }) => [
          name,
          [state, detail],
        ]),
      );
    expect(await read()).toMatchObject({
      "www.example.com/up": ["ok", expect.stringContaining("checkers see it well")],
      everything: ["unknown", "CloudWatch has no value of it"],
    });
    const cloudwatch = new CloudWatchClient({ ...settings(), region: "us-east-1" });
    const put = (Value: number): Promise<unknown> =>
      cloudwatch.send(
        new PutMetricDataCommand({
          Namespace: "AWS/Route53",
          MetricData: [
            {
              MetricName: "HealthCheckStatus",
              Dimensions: [{ Name: "HealthCheckId", Value: calculated }],
              Timestamp: new Date(Date.now() - 60_000),
              Value,
            },
          ],
        }),
      );
    await put(0);
    expect(await read()).toMatchObject({ everything: ["fail", "unhealthy"] });
  });
});
