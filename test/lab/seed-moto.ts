/** Telling moto of the estate. */
import { askEc2, findValue, makeSubnet, networkOf, runInstance } from "./ask-aws.ts";
import type { AwsPlace } from "./ask-aws.ts";
import { awaitAll } from "./await-all.ts";
import type { EstateInstance } from "./aws-estate.ts";

/** Takes addresses; makes a network for each three numbers with which they begin, and returns the subnets by these. */
async function makeSubnets(place: AwsPlace, addresses: string[]): Promise<Map<string, string>> {
  const networks = new Map(addresses.map((address) => [networkOf(address), address]));
  const made = [...networks].map(
    async ([network, address]) => [network, await makeSubnet(place, address)] as const,
  );
  return new Map(await awaitAll(made));
}

async function seedElasticIp(place: AwsPlace, name: string, instanceId: string): Promise<void> {
  const made = await askEc2(place, "AllocateAddress", {
    Domain: "vpc",
    "TagSpecification.1.ResourceType": "elastic-ip",
    "TagSpecification.1.Tag.1.Key": "Name",
    "TagSpecification.1.Tag.1.Value": name,
  });
  await askEc2(place, "AssociateAddress", {
    AllocationId: findValue(made, "allocationId"),
    InstanceId: instanceId,
  });
}

async function seedInstance(
  place: AwsPlace,
  instance: EstateInstance,
  subnetId: string,
): Promise<string> {
  const instanceId = await runInstance(place, { ...instance, subnetId });
  const id = { "InstanceId.1": instanceId };
  if (instance.state === "stopped") await askEc2(place, "StopInstances", id);
  if (instance.state === "terminated") await askEc2(place, "TerminateInstances", id);
  if (instance.hasElasticIp) await seedElasticIp(place, instance.tags["Name"] ?? "", instanceId);
  return instanceId;
}

/** Takes moto's address and the estate; makes all of it there, and returns the instances' ids in the same order. */
export async function seedMoto(endpointUrl: string, estate: EstateInstance[]): Promise<string[]> {
  const regions = [...new Set(estate.map(({ region }) => region))];
  const subnets = new Map(
    await awaitAll(
      regions.map(async (region) => {
        const here = estate.filter((instance) => instance.region === region);
        const addresses = here.map(({ privateIpAddress }) => privateIpAddress);
        return [region, await makeSubnets({ endpointUrl, region }, addresses)] as const;
      }),
    ),
  );
  return awaitAll(
    estate.map((instance) => {
      const { region, privateIpAddress } = instance;
      const subnetId = subnets.get(region)?.get(networkOf(privateIpAddress)) ?? "";
      return seedInstance({ endpointUrl, region }, instance, subnetId);
    }),
  );
}
