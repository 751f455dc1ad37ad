/** What a scripted AWS endpoint knows: instances, addresses and OpsWorks stacks, by region and account. */

export type InstanceState =
  | "pending"
  | "running"
  | "shutting-down"
  | "terminated"
  | "stopping"
  | "stopped";

/** An instance as EC2 would describe it; what is left out is absent from the answer, as EC2 leaves it out. */
export type AwsInstance = {
  instanceId: string;
  tags?: Record<string, string>;
  /** Running, when it is not said. */
  state?: InstanceState;
  privateIpAddress?: string;
  ipAddress?: string;
  ipv6Addresses?: string[];
  dnsName?: string;
  privateDnsName?: string;
  keyName?: string;
  instanceType?: string;
  imageId?: string;
  launchTime?: string;
  availabilityZone?: string;
  subnetId?: string;
  vpcId?: string;
};

/** A list, or as many as wished, each made when its page is asked for. */
export type AwsInstances =
  | readonly AwsInstance[]
  | { count: number; make: (index: number) => AwsInstance };

export type AwsAddress = {
  allocationId: string;
  publicIp: string;
  tags?: Record<string, string>;
  instanceId?: string;
  associationId?: string;
  privateIpAddress?: string;
};

/** A record of OpsWorks, with the fields of its documentation; the endpoint adds what links them. */
type OpsWorksRecord = Record<string, unknown>;
export type OpsWorksStack = OpsWorksRecord & {
  StackId: string;
  Name: string;
  layers: (OpsWorksRecord & { LayerId: string; Name: string; Shortname: string })[];
  instances: (OpsWorksRecord & { InstanceId: string; Hostname: string; LayerIds: string[] })[];
};

/** What the console of an instance shows: after its last start, and now; without the second it is of a type that has no newest output. */
export type AwsConsole = { output?: string; latest?: string };

export const DEFAULT_ACCOUNT = "123456789012";

export type AwsIdentity = { account: string; arn?: string; userId?: string };

type Kept<T> = {
  get: (region: string, account: string) => T | undefined;
  /** Without an account it is what every account sees that has nothing of its own. */
  set: (region: string, value: T, account?: string) => void;
};

function keepByRegion<T>(): Kept<T> {
  const values = new Map<string, T>();
  return {
    get: (region, account) => values.get(`${region} ${account}`) ?? values.get(region),
    set: (region, value, account) => {
      values.set(account === undefined ? region : `${region} ${account}`, value);
    },
  };
}

export type AwsState = {
  instances: Kept<AwsInstances>;
  addresses: Kept<readonly AwsAddress[]>;
  stacks: Kept<readonly OpsWorksStack[]>;
  /** By instance id. */
  consoles: Map<string, AwsConsole>;
  /** By access key. */
  identities: Map<string, AwsIdentity>;
  /** What DescribeRegions says of each. */
  regions: Record<string, "opt-in-not-required" | "opted-in" | "not-opted-in">;
};

/** Returns an empty state with the regions of an ordinary account. */
export function createState(): AwsState {
  const usual =
    "ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 eu-central-1 eu-north-1 " +
    "eu-west-1 eu-west-2 eu-west-3 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2";
  return {
    instances: keepByRegion(),
    addresses: keepByRegion(),
    stacks: keepByRegion(),
    consoles: new Map(),
    identities: new Map(),
    regions: {
      ...Object.fromEntries(
        usual.split(" ").map((region) => [region, "opt-in-not-required" as const]),
      ),
      "af-south-1": "not-opted-in",
      "ap-east-1": "not-opted-in",
    },
  };
}

/** Takes a source of instances; returns how many it has and how each is had. */
export function asSource(instances: AwsInstances | undefined): {
  count: number;
  make: (index: number) => AwsInstance | undefined;
} {
  if (instances === undefined) return { count: 0, make: () => undefined };
  if ("make" in instances) return instances;
  return { count: instances.length, make: (index) => instances[index] };
}
