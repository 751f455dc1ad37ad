import pLimit from "p-limit";
import type { AwsAccess } from "../aws/client-options.ts";
import { refuseOtherAccount } from "../aws/refuse-other-account.ts";
import type { Config } from "../config/schema.ts";
import { readSshHosts } from "../config/ssh-hosts.ts";
import { describeError, OperatorError } from "../system/errors.ts";
import type { Host } from "./host.ts";
import type { Instance } from "./instance.ts";
import { readCachedAnswer, writeCachedAnswer } from "./instance-cache.ts";
import { mergeHosts, type SeenInstance } from "./merge-hosts.ts";
import type { EnvironmentScope } from "./plan-scopes.ts";
import { rememberIdentity } from "./remember-identity.ts";

export interface InventoryOptions {
  scopes: readonly EnvironmentScope[];
  cacheFolder: string;
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** `list`: an answer of the last five minutes will do; `refresh`: only AWS itself. */
  freshness: "list" | "refresh";
}

/** What kept a part of the inventory from being seen. */
export interface InventoryGap {
  error: OperatorError;
  /** When what is shown instead was true (ISO 8601); absent: nothing is shown. */
  shownFrom?: string;
}

export interface Inventory {
  hosts: Host[];
  gaps: InventoryGap[];
  /** A closed OpsWorks and the like: worth a line, no failure. */
  notes: string[];
  /** The oldest answer among those that are shown (ISO 8601); absent: AWS was not asked. */
  asOf?: string;
}

/** AWS' limits are by account and region; more at once would only be throttled. */
const AT_ONCE = 8;
const FRESH_MS = 5 * 60 * 1000;
/** One region, all pages and retries together. */
const REGION_LIMIT_MS = 30_000;
/** Well below the region's: it must not take EC2's answer with it. */
const OPSWORKS_LIMIT_MS = 10_000;

/**
 * Given the configuration and the scopes, return the inventory of every source, the regions asked in parallel. A region that fails is a gap,
 * filled with its last answer where there is one. Throws `refused` where a profile belongs to another account than the configuration says.
 */
export async function loadInventory(config: Config, options: InventoryOptions): Promise<Inventory> {
  const limit = pLimit(AT_ONCE);
  const answers = await Promise.all(
    options.scopes.map((scope) => limit(() => askScope(scope, options))),
  );
  const sshHosts = readSshHosts(config.ssh?.configFile);
  const instances = new Map<string, SeenInstance>();
  for (const { seen } of answers) {
    for (const instance of seen) instances.set(`${instance.source} ${instance.id}`, instance);
  }
  const asOf = answers.flatMap(({ at }) => at ?? []).sort()[0];
  return {
    hosts: mergeHosts(config.hosts, [...instances.values()], sshHosts),
    gaps: answers.flatMap(({ gap }) => gap ?? []),
    notes: answers.flatMap(({ notes }) => notes),
    ...(asOf !== undefined && { asOf }),
  };
}

interface ScopeAnswer {
  seen: SeenInstance[];
  notes: string[];
  at?: string;
  gap?: InventoryGap;
}

async function askScope(scope: EnvironmentScope, options: InventoryOptions): Promise<ScopeAnswer> {
  const where = `${scope.region}${scope.profile === undefined ? "" : ` (profile ${scope.profile})`}`;
  const limit = AbortSignal.timeout(REGION_LIMIT_MS);
  const access = {
    environment: options.environment,
    signal: AbortSignal.any([options.signal, limit]),
  };
  let shown: { at: string; instances: Instance[] } | undefined;
  try {
    const identity = await identify(scope, options, access);
    shown = readCachedAnswer(options.cacheFolder, identity, scope.region);
    const age = shown ? Date.now() - Date.parse(shown.at) : Infinity;
    if (shown && options.freshness === "list" && age < FRESH_MS)
      return { ...markSeen(shown, scope), notes: [] };
    const { fetchInstances } = await import("./ec2-instances.ts");
    const [instances, opsworks] = await Promise.all([
      fetchInstances(scope, {}, access),
      askOpsWorks(scope, options),
    ]);
    const answer = {
      at: new Date().toISOString(),
      instances: [...instances, ...opsworks.instances],
    };
    await writeCachedAnswer(options.cacheFolder, identity, scope.region, answer);
    return { ...markSeen(answer, scope), notes: opsworks.notes };
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof OperatorError && error.kind === "refused") throw error;
    const gap = { error: limit.aborted ? tooSlow(where) : asOperatorError(error) };
    if (!shown) return { seen: [], notes: [], gap };
    return { ...markSeen(shown, scope), notes: [], gap: { ...gap, shownFrom: shown.at } };
  }
}

/** Who asks: it names the cache, and must be the account of the configuration. */
async function identify(
  scope: EnvironmentScope,
  { cacheFolder, environment, freshness }: InventoryOptions,
  access: AwsAccess,
) {
  const identity = await rememberIdentity(
    scope,
    { cacheFolder, environment, refresh: freshness === "refresh" },
    async () => {
      const { identifyAccount } = await import("../aws/identify-account.ts");
      return identifyAccount(scope, access);
    },
  );
  refuseOtherAccount(scope, identity);
  return identity;
}

/** Given a scope, throw `refused` where its credentials belong to another account than the configuration says; for lookups, beside which it is quick. */
export async function checkAccount(
  scope: EnvironmentScope,
  options: Omit<InventoryOptions, "scopes" | "freshness">,
): Promise<void> {
  if (scope.account === undefined) return;
  await identify(scope, { ...options, scopes: [], freshness: "list" }, options);
}

/** AWS closed the service in 2024: that nobody answers is a note, not a gap. */
async function askOpsWorks(
  scope: EnvironmentScope,
  { environment, signal }: InventoryOptions,
): Promise<{ instances: Instance[]; notes: string[] }> {
  if (!scope.hasOpsWorks) return { instances: [], notes: [] };
  const { fetchOpsWorksInstances } = await import("./opsworks-instances.ts");
  const limit = AbortSignal.timeout(OPSWORKS_LIMIT_MS);
  const access = { environment, signal: AbortSignal.any([signal, limit]) };
  try {
    return { instances: await fetchOpsWorksInstances(scope, access), notes: [] };
  } catch (error) {
    signal.throwIfAborted();
    return {
      instances: [],
      notes: [`OpsWorks does not answer, its tags are used: ${describeError(error)}`],
    };
  }
}

/** What no tag says of the environment, the profile does where it serves one alone. */
function markSeen(
  { at, instances }: { at: string; instances: readonly Instance[] },
  { environments }: EnvironmentScope,
): Pick<ScopeAnswer, "seen" | "at"> {
  const [environment] = environments.length === 1 ? environments : [];
  const tagged = new Set(instances.flatMap((one) => (one.environment === undefined ? [] : one.id)));
  return {
    at,
    seen: instances.map((instance) =>
      Object.assign(
        instance,
        { at },
        environment !== undefined && !tagged.has(instance.id) && { environment },
      ),
    ),
  };
}

function tooSlow(where: string): OperatorError {
  return new OperatorError(
    "unreachable",
    `${where}: no answer within ${REGION_LIMIT_MS / 1000} s`,
    {
      next: "try again, or leave the region out with --region",
    },
  );
}

function asOperatorError(error: unknown): OperatorError {
  return error instanceof OperatorError
    ? error
    : new OperatorError("failed", describeError(error), { cause: error });
}
