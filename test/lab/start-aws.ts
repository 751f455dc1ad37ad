/** The lab's AWS: moto where it was fetched, our own endpoint else; OpsWorks always by ours. */
import { randomBytes, randomUUID } from "node:crypto";
import { askEc2 } from "./ask-aws.ts";
import { awaitAll } from "./await-all.ts";
import { startAwsEndpoint } from "./aws-endpoint.ts";
import type { AwsEndpoint } from "./aws-endpoint.ts";
import { AWS_REGIONS, planEstate } from "./aws-estate.ts";
import type { EstateInstance } from "./aws-estate.ts";
import { DEFAULT_ACCOUNT } from "./aws/state.ts";
import type { OpsWorksStack } from "./aws/state.ts";
import { MACHINES } from "./estate.ts";
import type { LabAws, LabHost } from "./lab.ts";
import { startDynalite } from "./dynalite.ts";
import { findMoto } from "./moto-cache.ts";
import { startMoto } from "./moto.ts";
import type { LabContext } from "./process.ts";
import { seedDynamoDb } from "./seed-dynamodb.ts";
import { seedMoto } from "./seed-moto.ts";

const makeId = (kind: string) => `${kind}-0${randomBytes(8).toString("hex")}`;

function seedStandIn(endpoint: AwsEndpoint, estate: EstateInstance[]): string[] {
  const ids = estate.map(() => makeId("i"));
  const all = estate.map((instance, index) => ({
    ...instance,
    instanceId: ids[index] ?? "",
    subnetId: "subnet-00000000000000001",
    vpcId: "vpc-00000000000000001",
    keyName: "ops",
    ...(instance.hasElasticIp && { ipAddress: `203.0.113.${10 + index}` }),
  }));
  for (const region of AWS_REGIONS) {
    const here = all.filter((instance) => instance.region === region);
    endpoint.setInstances(region, here);
    endpoint.setAddresses(
      region,
      here
        .filter(({ hasElasticIp }) => hasElasticIp)
        .map(({ instanceId, privateIpAddress, ipAddress = "", tags }) => ({
          allocationId: makeId("eipalloc"),
          publicIp: ipAddress,
          instanceId,
          privateIpAddress,
          tags: { Name: tags["Name"] ?? "" },
        })),
    );
  }
  return ids;
}

/** It loads EC2 at the first question, for more than a second: while the hosts still start. */
async function warmUp(endpointUrl: string): Promise<void> {
  await awaitAll(AWS_REGIONS.map((region) => askEc2({ endpointUrl, region }, "DescribeVpcs")));
}

/** A stack for each environment with API hosts, as OpsWorks had them before it closed. */
function planStacks(
  estate: EstateInstance[],
  ids: string[],
): { region: string; stack: OpsWorksStack }[] {
  return MACHINES.filter(({ role }) => role === "api").map(({ name, environment, region }) => {
    const index = estate.findIndex(({ tags }) => tags["Name"] === name);
    const layerId = randomUUID();
    const instance = {
      InstanceId: randomUUID(),
      Hostname: name,
      LayerIds: [layerId],
      Ec2InstanceId: ids[index] ?? "",
      PrivateIp: estate[index]?.privateIpAddress ?? "",
      AvailabilityZone: `${region}a`,
    };
    const layer = { LayerId: layerId, Name: "API Server", Shortname: "api" };
    const StackId = randomUUID();
    return {
      region,
      stack: { StackId, Name: environment, layers: [layer], instances: [instance] },
    };
  });
}

/** Takes the hosts; starts the lab's AWS, tells it of the estate, and returns where it is. */
export async function startAws(
  lab: LabContext,
  hosts: Record<string, Pick<LabHost, "address" | "otherAddresses">>,
): Promise<LabAws> {
  const endpoint = await startAwsEndpoint();
  lab.closers.push(endpoint.close);
  const python = findMoto(process.env);
  const moto = python === undefined ? undefined : await startMoto(lab, python);
  const dynamodb = moto ? undefined : await startDynalite();
  if (dynamodb) lab.closers.push(dynamodb.close);
  const dynamodbUrl = dynamodb?.url ?? `http://${moto?.address}:${moto?.port}`;
  const tables = seedDynamoDb({ endpointUrl: dynamodbUrl, region: "us-west-2" });
  // Whoever waits for it hears it below.
  tables.catch(() => {});
  if (moto) await warmUp(`http://${moto.address}:${moto.port}`);
  const estate = planEstate(hosts);
  const endpointUrl = moto ? `http://${moto.address}:${moto.port}` : endpoint.url;
  const ids = moto ? await seedMoto(endpointUrl, estate) : seedStandIn(endpoint, estate);
  for (const { region, stack } of planStacks(estate, ids)) endpoint.setStacks(region, [stack]);
  const instances = estate
    .slice(0, MACHINES.length)
    .map(({ region, tags }, index) => [
      tags["Name"] ?? "",
      { region, instanceId: ids[index] ?? "" },
    ]);
  await tables;
  return {
    endpointUrl,
    opsworksUrl: endpoint.url,
    dynamodbUrl,
    state: moto ? "emulator" : "stand-in",
    accountId: DEFAULT_ACCOUNT,
    regions: [...AWS_REGIONS],
    instances: Object.fromEntries(instances),
    ...(moto && { pid: moto.pid }),
  };
}
