/** An instance in the XML of EC2. */
import type { AwsInstance, InstanceState } from "./state.ts";
import { toXml } from "./xml.ts";
import type { Content } from "./xml.ts";

export const STATE_CODES: Record<InstanceState, number> = {
  pending: 0,
  running: 16,
  "shutting-down": 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
};

/** Takes tags; returns their items. */
export function toTagSet(tags: Record<string, string> | undefined): Content {
  return tags && Object.entries(tags).map(([key, value]) => ({ key, value }));
}

/** Takes an instance, its region and its owner; returns what EC2 says of it. A terminated one has no addresses left. */
export function describeInstance(instance: AwsInstance, region: string): Content {
  const state = instance.state ?? "running";
  const gone = state === "terminated";
  const hasPublic = state === "running" && !gone;
  return {
    instanceId: instance.instanceId,
    imageId: instance.imageId ?? "ami-0abcdef1234567890",
    instanceState: { code: STATE_CODES[state], name: state },
    privateDnsName: gone ? "" : (instance.privateDnsName ?? ""),
    dnsName: hasPublic ? (instance.dnsName ?? "") : "",
    reason: gone ? "User initiated (2026-01-01 00:00:00 GMT)" : "",
    keyName: instance.keyName,
    amiLaunchIndex: 0,
    productCodes: "",
    instanceType: instance.instanceType ?? "t3.small",
    launchTime: instance.launchTime ?? "2025-03-01T08:00:00.000Z",
    placement: {
      availabilityZone: instance.availabilityZone ?? `${region}a`,
      groupName: "",
      tenancy: "default",
    },
    monitoring: { state: "disabled" },
    subnetId: gone ? undefined : instance.subnetId,
    vpcId: gone ? undefined : instance.vpcId,
    privateIpAddress: gone ? undefined : instance.privateIpAddress,
    ipAddress: hasPublic ? instance.ipAddress : undefined,
    ipv6Address: gone ? undefined : instance.ipv6Addresses?.[0],
    groupSet: "",
    architecture: "x86_64",
    rootDeviceType: "ebs",
    rootDeviceName: "/dev/xvda",
    virtualizationType: "hvm",
    tagSet: toTagSet(instance.tags),
    hypervisor: "xen",
    networkInterfaceSet:
      instance.ipv6Addresses && !gone
        ? [
            {
              ipv6AddressesSet: instance.ipv6Addresses.map((ipv6Address) => ({ ipv6Address })),
              privateIpAddress: instance.privateIpAddress,
            },
          ]
        : "",
  };
}

/** Takes instances as they come; returns a reservation for each, in XML. */
export function* writeReservations(
  instances: Iterable<AwsInstance>,
  region: string,
  ownerId: string,
): Generator<string> {
  for (const instance of instances)
    yield `<item>${toXml({
      reservationId: `r-${instance.instanceId.slice(2)}`,
      ownerId,
      groupSet: "",
      instancesSet: [describeInstance(instance, region)],
    })}</item>`;
}
