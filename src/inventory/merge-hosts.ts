import type { Config, HostConfig } from "../config/schema.ts";
import type { SshHost } from "../config/ssh-hosts.ts";
import { hasTags } from "./ec2-tags.ts";
import type { Field, Host, Source } from "./host.ts";
import type { Instance } from "./instance.ts";

/** An instance, and when AWS was asked for it (ISO 8601). */
export interface SeenInstance extends Instance {
  at: string;
}

/** A machine from the point of view of AWS: what EC2 and OpsWorks say of one instance id. */
type Machine = readonly [SeenInstance, ...SeenInstance[]];

const FIELDS: readonly Field[] = [
  "environment",
  "role",
  "region",
  "publicAddress",
  "privateAddress",
  "state",
];

/**
 * Given what each source says, return the hosts: those of the configuration, the other instances, then those of the user's ssh
 * configuration. EC2 and OpsWorks are joined by instance id; a host of the configuration with the one instance that is meant by its
 * address, else by its name. What the configuration says is never overwritten: it is compared, and conflicts are kept. Pure.
 */
export function mergeHosts(
  configured: Config["hosts"],
  instances: readonly SeenInstance[],
  sshHosts: readonly SshHost[],
  environments: readonly string[] = [],
): Host[] {
  const machines = groupById(instances);
  const taken = new Set<string>();
  const hosts: Host[] = [];
  for (const [name, given] of Object.entries(configured ?? {})) {
    const meant = findMachines(name, given, withinEnvironment(given, machines, environments));
    const [only] = meant;
    if (only && meant.length === 1) taken.add(only[0].id);
    hosts.push(makeHost(name, given, meant.length === 1 ? only : undefined));
  }
  for (const machine of machines) {
    if (!taken.has(machine[0].id)) hosts.push(makeHost(nameOf(machine), undefined, machine));
  }
  const names = new Set(hosts.map((host) => host.name));
  for (const found of sshHosts) {
    if (names.has(found.name)) continue;
    hosts.push({
      name: found.name,
      sources: ["ssh-config"],
      ...(found.hostName !== undefined && { address: { dns: found.hostName } }),
      ...(found.user !== undefined && { user: found.user }),
      ...(found.port !== undefined && { port: found.port }),
    });
  }
  return hosts;
}

/** Running machines first, so that a stopped or terminated twin never takes the place of the one that lives. */
function groupById(instances: readonly SeenInstance[]): Machine[] {
  const byId = new Map<string, [SeenInstance, ...SeenInstance[]]>();
  for (const instance of instances) {
    const known = byId.get(instance.id);
    if (!known) byId.set(instance.id, [instance]);
    else if (instance.source === "ec2") known.unshift(instance);
    else known.push(instance);
  }
  return [...byId.values()];
}

/** A machine of another environment of the configuration is another machine. */
function withinEnvironment(
  given: HostConfig,
  machines: readonly Machine[],
  environments: readonly string[],
): readonly Machine[] {
  if (given.environment === undefined) return machines;
  return machines.filter((machine) =>
    machine.every(
      ({ environment = "" }) =>
        environment === given.environment || !environments.includes(environment),
    ),
  );
}

function findMachines(name: string, given: HostConfig, machines: readonly Machine[]): Machine[] {
  const alive = machines.filter(([{ state }]) => state === "running");
  const { address } = given;
  // A DNS name is not looked up here: the machine of the host's own name is meant.
  if (address === undefined || "dns" in address) {
    return preferAlive(machines.filter((machine) => nameOf(machine) === name));
  }
  if ("dyn" in address) {
    const { tags, region = given.region } = address.dyn;
    return alive.filter(
      ([first]) => hasTags(first.tags, tags) && first.region === (region ?? first.region),
    );
  }
  const { eip } = address;
  if (typeof eip === "string")
    // Over a private network the same machine may be given by its address there.
    return alive.filter((machine) =>
      machine.some((one) => one.publicAddress === eip || one.privateAddress === eip),
    );
  const { region = given.region } = eip;
  // An elastic IP stays with an instance that is stopped.
  return machines.filter(
    ([first]) =>
      first.region === (region ?? first.region) &&
      first.elasticIps?.some((one) =>
        "tags" in eip ? hasTags(one.tags, eip.tags) : one.allocation === eip.allocation,
      ),
  );
}

function preferAlive(machines: Machine[]): Machine[] {
  const alive = machines.filter(([{ state }]) => state === "running");
  return alive.length > 0 ? alive : machines;
}

/** An instance that nobody named is called by its id. */
function nameOf(machine: Machine): string {
  return machine.find((one) => one.name !== undefined)?.name ?? machine[0].id;
}

function makeHost(name: string, given: HostConfig | undefined, machine: Machine | undefined): Host {
  const said: { source: Source; at?: string; values: Partial<Record<Field, string>> }[] = [
    ...(given ? [{ source: "config" as const, values: pickFields(given) }] : []),
    ...(machine ?? []).map((one) => ({ source: one.source, at: one.at, values: pickFields(one) })),
  ];
  const values: Partial<Record<Field, string>> = {};
  const fields: Partial<Record<Field, { source: Source; at?: string }>> = {};
  const conflicts: { field: Field; source: Source; value: string }[] = [];
  for (const { source, at, values: theirs } of said) {
    // One object for all fields of a source: there are tens of thousands of hosts.
    const origin = { source, ...(at !== undefined && { at }) };
    for (const field of FIELDS) {
      const value = theirs[field];
      if (value === undefined) continue;
      if (values[field] === undefined) {
        values[field] = value;
        fields[field] = origin;
      } else if (values[field] !== value) conflicts.push({ field, source, value });
    }
  }
  const first = machine?.[0];
  return {
    name,
    sources: [...new Set(said.map(({ source }) => source))],
    ...values,
    ...(given?.address && { address: given.address }),
    ...(given?.use && { use: given.use }),
    ...(given?.user !== undefined && { user: given.user }),
    ...(given?.port !== undefined && { port: given.port }),
    ...(given?.jump && { jump: given.jump }),
    ...(first && { instanceId: first.id }),
    ...(first?.tags && { tags: first.tags }),
    ...(first?.launchedAt !== undefined && { launchedAt: first.launchedAt }),
    ...(Object.keys(fields).length > 0 && { fields }),
    ...(conflicts.length > 0 && { conflicts }),
  };
}

function pickFields(from: Partial<Record<Field, unknown>>): Partial<Record<Field, string>> {
  return Object.fromEntries(
    FIELDS.flatMap((field) => (typeof from[field] === "string" ? [[field, from[field]]] : [])),
  );
}
