import { setTimeout as wait } from "node:timers/promises";
import type { AwsAccess } from "../aws/client-options.ts";
import type { AddressConfig } from "../config/schema.ts";
import { OperatorError } from "../system/errors.ts";
import { countOf } from "../system/quantities.ts";
import { chooseAddress, type Host } from "./host.ts";
import type { Instance } from "./instance.ts";
import type { EnvironmentScope } from "./plan-scopes.ts";

/** Where a host is at this moment. */
export interface Lookup {
  /** Absent: the user's ssh settings are to say it. */
  address?: string;
  instanceId?: string;
  launchedAt?: string;
  /** Where its instance was found. */
  scope?: EnvironmentScope;
  /** Whose instance it is. */
  account?: string;
}

export interface LookUpOptions {
  scopes: readonly EnvironmentScope[];
  /** Throws where a scope's profile belongs to another account than the configuration says. */
  checkAccount: (scope: EnvironmentScope) => Promise<void>;
  access: AwsAccess;
  /** Hosts whose address the user's ssh settings give. */
  namedInSsh?: ReadonlySet<string>;
}

/** Pauses before an id that EC2 does not know is asked for again. */
const ASK_AGAIN_MS = [500, 1_000, 2_000];

/**
 * Given a host, ask where it is now; nothing is taken from a cache. `dyn` and instances: the one that runs and carries the tags, or the name.
 * Throws `usage` with the candidates where several do, `unreachable` where none does, and what AWS answers where a region that could
 * have another one fails: then nobody knows that it is the only one.
 */
export async function lookUpAddress(host: Host, options: LookUpOptions): Promise<Lookup> {
  const { address } = host;
  if (address === undefined) {
    return host.instanceId === undefined
      ? lookUpByName(host, options)
      : lookUpInstance(host, options);
  }
  if ("dns" in address) return host.sources[0] === "ssh-config" ? {} : { address: address.dns };
  if ("dyn" in address)
    return lookUpByTags(host, address.dyn.tags, scopesOf(host, address.dyn.region, options));
  if (typeof address.eip === "string") return { address: address.eip };
  return lookUpElasticIp(host, address.eip, options);
}

type Scoped = LookUpOptions & { scopes: readonly EnvironmentScope[] };

function scopesOf(host: Host, region: string | undefined, options: LookUpOptions): Scoped {
  const wanted = region ?? (host.sources[0] === "config" ? undefined : host.region);
  // An instance may carry a tag Environment that is none of the configuration's.
  const isKnown = options.scopes.some(({ environments }) =>
    environments.includes(host.environment ?? ""),
  );
  const isBound = host.environment !== undefined && (isKnown || host.sources[0] === "config");
  const scopes = options.scopes.filter(
    (scope) =>
      (!isBound || scope.environments.includes(host.environment ?? "")) &&
      (wanted === undefined || scope.region === wanted),
  );
  if (scopes.length > 0) return { ...options, scopes };
  throw new OperatorError(
    "configuration",
    `${host.name} is looked up in AWS, and no region is configured to look in`,
    {
      next: "give its environment a profile and regions in the configuration",
    },
  );
}

/** A host that says nothing of its address: what the user's ssh settings say counts, else the running instance of its name, else DNS. */
async function lookUpByName(host: Host, options: LookUpOptions): Promise<Lookup> {
  const scopes = options.scopes.filter(
    ({ environments, region }) =>
      environments.includes(host.environment ?? "") && region === (host.region ?? region),
  );
  const isGivenElsewhere = host.sources[0] !== "config" || options.namedInSsh?.has(host.name);
  if (scopes.length === 0 || isGivenElsewhere) return {};
  const scoped = { ...options, scopes };
  for (const key of ["Name", "opsworks:instance"]) {
    const tags = { [key]: host.name };
    const running = await askAll(scoped, { tags, states: ["running"] });
    if (running.length > 0) return chooseOnly(host, tags, running, scoped);
  }
  return {};
}

/**
 * An id stands for one machine, wherever it was seen; no other takes its place. EC2 may list a new one in one answer and not know it in the
 * next, for seconds (EC2 developer guide, "Eventual consistency"): where it has no word of it at all, it is asked again.
 */
async function lookUpInstance(host: Host, options: LookUpOptions): Promise<Lookup> {
  const scopes = options.scopes.filter(({ region }) => region === (host.region ?? region));
  const id = host.instanceId ?? "";
  const query = { ids: [id], states: ["running", "pending", "stopping", "stopped", "terminated"] };
  let [found] = await askAll({ ...options, scopes }, query);
  for (const waitMs of ASK_AGAIN_MS) {
    if (found) break;
    await wait(waitMs, undefined, { signal: options.access.signal });
    [found] = await askAll({ ...options, scopes }, query);
  }
  if (found?.state === "running") return readLookup(host, found);
  throw new OperatorError("unreachable", `${host.name}: its instance ${id} does not run`, {
    next: "lcops hosts --all --refresh shows what there is",
  });
}

async function lookUpByTags(
  host: Host,
  tags: Readonly<Record<string, string>>,
  scoped: Scoped,
): Promise<Lookup> {
  return chooseOnly(host, tags, await askAll(scoped, { tags, states: ["running"] }), scoped);
}

function chooseOnly(
  host: Host,
  tags: Readonly<Record<string, string>>,
  running: readonly FoundInstance[],
  scoped: Scoped,
): Lookup {
  const [only] = running;
  if (only && running.length === 1) return readLookup(host, only);
  const shown = Object.entries(tags)
    .map((tag) => tag.join("="))
    .join(", ");
  if (!only) {
    throw new OperatorError(
      "unreachable",
      `${host.name}: no running instance has ${shown} in ${listRegions(scoped)}`,
      {
        next: "lcops hosts --all --refresh shows what there is",
      },
    );
  }
  throw new OperatorError(
    "usage",
    `${host.name}: ${countOf(running.length, "running instance has", "running instances have")} ${shown}`,
    {
      next: "name one by its instance id, or tell them apart by a tag",
      details: running.map(
        (one) =>
          `${one.id} in ${one.region}, ${chooseAddress(one) ?? "without an address"}, since ${one.launchedAt ?? "?"}`,
      ),
    },
  );
}

async function lookUpElasticIp(
  host: Host,
  wanted: Exclude<Extract<AddressConfig, { eip: unknown }>["eip"], string>,
  options: LookUpOptions,
): Promise<Lookup> {
  const { fetchElasticIps } = await import("./elastic-ips.ts");
  const scoped = scopesOf(host, wanted.region, options);
  const found = await askEach(scoped, async (scope) => {
    const addresses = await fetchElasticIps(scope, options.access, wanted);
    return addresses.map((one) => ({ ...one, ...(one.instanceId !== undefined && { scope }) }));
  });
  const distinct = [...new Map(found.map((one) => [one.address, one])).values()];
  const [only] = distinct;
  if (!only || distinct.length > 1) {
    throw new OperatorError(
      distinct.length > 1 ? "usage" : "unreachable",
      `${host.name}: ${distinct.length} elastic IPs match, and one is needed`,
      {
        next: "correct its address in the configuration",
        details: distinct.map(({ address }) => address),
      },
    );
  }
  if (host.use !== "private") {
    const { address, instanceId, account } = only;
    return { address, ...(instanceId && { instanceId }), ...(account && { account }) };
  }
  const [instance] = only.instanceId
    ? await askAll(scoped, { ids: [only.instanceId], states: ["running"] })
    : [];
  if (instance) return readLookup(host, instance);
  throw new OperatorError(
    "unreachable",
    `${host.name}: no running instance has the elastic IP ${only.address}`,
    {
      next: "start it, or use its public address",
    },
  );
}

interface FoundInstance extends Instance {
  scope: EnvironmentScope;
}

/** Nobody is asked before all are who they should be. */
async function askEach<T>(
  { scopes, checkAccount }: Scoped,
  ask: (scope: EnvironmentScope) => Promise<T[]>,
): Promise<T[]> {
  await Promise.all(scopes.map(checkAccount));
  return (await Promise.all(scopes.map(ask))).flat();
}

async function askAll(
  scoped: Scoped,
  query: {
    tags?: Readonly<Record<string, string>>;
    ids?: readonly string[];
    states: readonly string[];
  },
): Promise<FoundInstance[]> {
  const { fetchInstances } = await import("./ec2-instances.ts");
  const found = await askEach(scoped, async (scope) => {
    const instances = await fetchInstances(scope, query, scoped.access);
    return instances.map((instance): FoundInstance => ({ ...instance, scope }));
  });
  // Two profiles can see the same account.
  return [...new Map(found.map((instance) => [instance.id, instance])).values()];
}

function readLookup(host: Host, instance: FoundInstance): Lookup {
  const address = chooseAddress({ ...(host.use && { use: host.use }), ...pickAddresses(instance) });
  if (address === undefined) {
    throw new OperatorError(
      "unreachable",
      `${host.name} (${instance.id}) has no ${host.use ?? ""} address`,
      {
        next: 'set "use" of the host to the address that it has',
      },
    );
  }
  return {
    address,
    instanceId: instance.id,
    scope: instance.scope,
    ...(instance.launchedAt !== undefined && { launchedAt: instance.launchedAt }),
    ...(instance.account !== undefined && { account: instance.account }),
  };
}

function pickAddresses({
  publicAddress,
  privateAddress,
}: Instance): Pick<Instance, "publicAddress" | "privateAddress"> {
  return { ...(publicAddress && { publicAddress }), ...(privateAddress && { privateAddress }) };
}

function listRegions(scoped: Scoped): string {
  return [...new Set(scoped.scopes.map(({ region }) => region))].join(", ");
}
