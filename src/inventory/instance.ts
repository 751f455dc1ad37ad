/** A machine as AWS knows it, from EC2 or from OpsWorks; what an answer leaves out is absent. */
export interface Instance {
  /** EC2's instance id. */
  id: string;
  region: string;
  source: "ec2" | "opsworks";
  name?: string;
  /** running, stopped, …: EC2's words. */
  state?: string;
  publicAddress?: string;
  privateAddress?: string;
  /** ISO 8601. */
  launchedAt?: string;
  environment?: string;
  role?: string;
  tags?: Readonly<Record<string, string>>;
  /** Elastic IPs that lead to it, where a host of the configuration is known by one. */
  elasticIps?: readonly {
    allocation?: string;
    tags: Readonly<Record<string, string>>;
  }[];
  /** Whose it is, where it was asked for by id or tags. */
  account?: string;
}

/**
 * Given the tags of an instance, return its name, environment and role: Name, Environment, Role, else what OpsWorks Stacks left
 * behind: `opsworks:instance`, `opsworks:stack` and `opsworks:layer:<short name>` (the layer stands in the key). Keys know no case.
 */
export function readTags(
  tags: Readonly<Record<string, string>>,
): Pick<Instance, "name" | "environment" | "role"> {
  const lower = new Map(Object.entries(tags).map(([key, value]) => [key.toLowerCase(), value]));
  const layers = [...lower.keys()].flatMap((key) => /^opsworks:layer:(.+)$/.exec(key)?.[1] ?? []);
  const name = lower.get("name") || lower.get("opsworks:instance");
  const environment = lower.get("environment") || lower.get("opsworks:stack");
  const role = lower.get("role") || layers.sort().join("+");
  return {
    ...(name && { name }),
    ...(environment && { environment }),
    ...(role && { role }),
  };
}
