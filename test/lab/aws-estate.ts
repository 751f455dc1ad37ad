/** The estate as AWS shows it: an instance for each machine, and others that an account gathers in ten years. */
import { isIPv4 } from "node:net";
import { MACHINES } from "./estate.ts";
import type { Machine } from "./estate.ts";
import type { LabHost } from "./lab.ts";

export const AWS_REGIONS: Machine["region"][] = ["eu-west-1", "us-west-2", "ap-northeast-1"];

export type EstateInstance = {
  region: Machine["region"];
  privateIpAddress: string;
  instanceType: string;
  state: "running" | "stopped" | "terminated";
  tags: Record<string, string>;
  /** Has an elastic IP with the same Name. */
  hasElasticIp: boolean;
};

const WITH_ELASTIC_IP = new Set(["GraphStats", "TextLogs", "Jenkins-Oregon"]);

/** OpsWorks is closed; what it set up still carries its tags, of which the layer stands in the key. */
function opsWorksTags(machine: Machine): Record<string, string> {
  if (machine.role !== "api") return {};
  return {
    "opsworks:stack": machine.environment,
    "opsworks:layer:api": "API Server",
    "opsworks:instance": machine.name,
  };
}

function describeMachine(machine: Machine, privateIpAddress: string): EstateInstance {
  return {
    region: machine.region,
    privateIpAddress,
    instanceType: machine.role === "api" ? "m3.medium" : "t3.small",
    state: "running",
    tags: {
      Name: machine.name,
      Environment: machine.environment,
      Role: machine.role,
      ...opsWorksTags(machine),
    },
    hasElasticIp: WITH_ELASTIC_IP.has(machine.name),
  };
}

type Addresses = Pick<LabHost, "address" | "otherAddresses">;

/** EC2's private addresses are IPv4; where `localhost` is IPv6 alone, WorkerStats has none that leads to it. */
function findAddress(host: Addresses | undefined, index: number): string {
  const all = host ? [host.address, ...host.otherAddresses] : [];
  return all.find((address) => isIPv4(address)) ?? `10.20.0.${10 + index}`;
}

/** Takes the hosts of a lab; returns the instances, each at the address at which its host's sshd answers. */
export function planEstate(hosts: Record<string, Addresses>): EstateInstance[] {
  const machines = MACHINES.map((machine, index) =>
    describeMachine(machine, findAddress(hosts[machine.name], index)),
  );
  const other = (
    name: string,
    last: number,
    state: EstateInstance["state"],
    role: string,
  ): EstateInstance => ({
    region: "eu-west-1",
    privateIpAddress: `10.30.0.${last}`,
    instanceType: "c5.large",
    state,
    tags: { Name: name, Environment: "prod", Role: role },
    hasElasticIp: false,
  });
  return [
    ...machines,
    other("old-batch", 20, "stopped", "batch"),
    other("RedisCache", 21, "terminated", "RedisCache"),
    other("spot-worker", 22, "running", "spot"),
    other("spot-worker", 23, "running", "spot"),
  ];
}
