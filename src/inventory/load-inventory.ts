import pLimit from "p-limit";
import type { AwsAccess } from "../aws/client-options.ts";
import { refuseOtherAccount } from "../aws/refuse-other-account.ts";
import type { Identity } from "../aws/identify-account.ts";
import type { Config } from "../config/schema.ts";
import { readSshHosts } from "../config/ssh-hosts.ts";
import { describeError, OperatorError } from "../system/errors.ts";
import type { Host } from "./host.ts";
import type { Instance } from "./instance.ts";
import { type CachedAnswer, readCachedAnswer, writeCachedAnswer } from "./instance-cache.ts";
import { mergeHosts, type SeenInstance } from "./merge-hosts.ts";
import type { EnvironmentScope } from "./plan-scopes.ts";
import { recallIdentity, rememberIdentity } from "./remember-identity.ts";

export interface InventoryOptions {
  scopes: readonly EnvironmentScope[];
  cacheFolder: string;
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** `list`: an answer of the last five minutes will do; `refresh`: only AWS itself. */
  freshness: "list" | "refresh";
}

/** What kept a part of the inventory from being seen. */
interface InventoryGap {
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
  const configured = Object.keys(config.environments ?? {});
  const answers = await answerScopes(options);
  const sshHosts = readSshHosts(config.ssh?.configFile);
  const instances = new Map<string, SeenInstance>();
  for (const { account, answer } of answers) {
    if (!answer) continue;
    // Several profiles may see one account: its machines belong to the environments of them all.
    const served = options.scopes.filter((_scope, index) => answers[index]?.account === account);
    const environments = [...new Set(served.flatMap((scope) => scope.environments))];
    for (const instance of markSeen(answer, environments, configured)) {
      instances.set(`${instance.source} ${instance.id}`, instance);
    }
  }
  const asOf = answers.flatMap(({ answer }) => answer?.at ?? []).sort()[0];
  return {
    hosts: mergeHosts(config.hosts, [...instances.values()], sshHosts, configured),
    gaps: answers.flatMap(({ gap }) => gap ?? []),
    notes: answers.flatMap(({ notes }) => notes),
    ...(asOf !== undefined && { asOf }),
  };
}

async function answerScopes(options: InventoryOptions): Promise<ScopeAnswer[]> {
  const fresh = options.scopes.map((scope) => readFreshAnswer(scope, options));
  if (fresh.every((answer) => answer !== undefined)) return fresh;
  const limit = pLimit(AT_ONCE);
  // A refused account ends the others: nothing more is to be asked.
  const refused = new AbortController();
  const signal = AbortSignal.any([options.signal, refused.signal]);
  return Promise.all(
    options.scopes.map(
      async (scope, index) => fresh[index] ?? limit(() => askScope(scope, { ...options, signal })),
    ),
  ).catch((error: unknown) => {
    refused.abort(error);
    throw error;
  });
}

interface ScopeAnswer {
  /** Absent: not even an old one is known. */
  answer?: CachedAnswer;
  /** Whose it is; absent where nobody could say. */
  account?: string;
  notes: string[];
  gap?: InventoryGap;
}

/** The limit binds what does not heed the signal as well: a program that gives credentials, a wait of the SDK. */
async function askScope(scope: EnvironmentScope, options: InventoryOptions): Promise<ScopeAnswer> {
  const where = `${scope.region}${scope.profile === undefined ? "" : ` (profile ${scope.profile})`}`;
  const limit = AbortSignal.timeout(REGION_LIMIT_MS);
  const access = {
    environment: options.environment,
    signal: AbortSignal.any([options.signal, limit]),
  };
  let identity: Identity | undefined;
  try {
    identity = await within(access.signal, identify(scope, options, access));
    const { fetchInstances } = await import("./ec2-instances.ts");
    const [instances, opsworks] = await within(
      access.signal,
      Promise.all([fetchInstances(scope, {}, access), askOpsWorks(scope, options)]),
    );
    const answer = {
      at: new Date().toISOString(),
      instances: [...instances, ...opsworks.instances],
    };
    const kept = await writeCachedAnswer(options.cacheFolder, identity, scope.region, answer).then(
      () => [],
      (error: unknown) => [`the answer of ${where} is not kept: ${describeError(error)}`],
    );
    return { answer, account: identity.account, notes: [...opsworks.notes, ...kept] };
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof OperatorError && error.kind === "refused") throw error;
    const gap = { error: limit.aborted ? tooSlow(where) : asOperatorError(error) };
    // Where not even that is answered, who it was the last time, with the same credentials.
    identity ??= recallIdentity(scope, options);
    if (identity) refuseOtherAccount(scope, identity);
    const shown = identity && readCachedAnswer(options.cacheFolder, identity, scope.region);
    if (!identity || !shown) return { notes: [], gap };
    return {
      answer: shown,
      account: identity.account,
      notes: [],
      gap: { ...gap, shownFrom: shown.at },
    };
  }
}

/** What a promise resolves to, unless the signal is fired before. */
function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/** What will do for a listing, without asking anybody. Only a fresh answer is held: an old one beside its successor would double the memory. */
function readFreshAnswer(
  scope: EnvironmentScope,
  options: InventoryOptions,
): ScopeAnswer | undefined {
  const identity = options.freshness === "list" ? recallIdentity(scope, options) : undefined;
  if (!identity) return undefined;
  refuseOtherAccount(scope, identity);
  const known = readCachedAnswer(options.cacheFolder, identity, scope.region);
  const isFresh = known && Date.now() - Date.parse(known.at) < FRESH_MS;
  return isFresh ? { answer: known, account: identity.account, notes: [] } : undefined;
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

/** Given a scope, throw `refused` where its credentials belong to another account than the configuration says. For connecting: AWS is asked, not the memory. */
export async function checkAccount(
  scope: EnvironmentScope,
  options: Omit<InventoryOptions, "scopes" | "freshness">,
): Promise<void> {
  if (scope.account === undefined) return;
  await identify(scope, { ...options, scopes: [], freshness: "refresh" }, options);
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

/**
 * Guards go by account: a tag that names an environment which is not one of the account's is passed over, and the machine belongs to the
 * one that is, to none where there are several. A tag that names no environment of the configuration is shown as it is.
 */
function markSeen(
  { at, instances }: CachedAnswer,
  environments: readonly string[],
  configured: readonly string[],
): SeenInstance[] {
  const [only] = environments.length === 1 ? environments : [];
  const isForeign = (tag: string): boolean =>
    configured.includes(tag) && !environments.includes(tag);
  const tagged = new Set(
    instances.flatMap(({ id, environment }) =>
      environment === undefined || isForeign(environment) ? [] : [id],
    ),
  );
  return instances.map(({ environment: tag, ...instance }): SeenInstance => {
    const environment = tagged.has(instance.id) ? tag : only;
    return { ...instance, at, ...(environment !== undefined && { environment }) };
  });
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
