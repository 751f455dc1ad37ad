import { describeScope } from "../aws/aws-scope.ts";
import type { AwsAccess } from "../aws/client-options.ts";
import type { Identity } from "../aws/identify-account.ts";
import { describeError, errorCode, OperatorError } from "../system/errors.ts";
import type { ElasticIp } from "./elastic-ips.ts";
import type { Instance } from "./instance.ts";
import {
  type CachedAnswer,
  type CacheKey,
  readCachedAnswer,
  writeCachedAnswer,
} from "./instance-cache.ts";
import type { EnvironmentScope } from "./plan-scopes.ts";

export interface AskOptions {
  cacheFolder: string;
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/** What kept a part of the inventory from being seen. */
export interface InventoryGap {
  error: OperatorError;
  region?: string;
  profile?: string;
  /** When what is shown instead was true (ISO 8601); absent: nothing is shown. */
  shownFrom?: string;
  /** What nothing is shown of, in words. */
  lost: string;
  /** Whether instances may be hidden: then nobody knows that a name stands for one alone. */
  hidesInstances: boolean;
}

/** What a scope answered. */
export interface ScopeAnswer {
  /** Whose it is; absent where nobody could say. */
  account?: string;
  /** Each as old as it is; none where not even an old one is known. */
  answers: CachedAnswer[];
  notes: string[];
  gaps: InventoryGap[];
}

/** One region, all pages and retries together. */
const REGION_LIMIT_MS = 30_000;
/** Well below the region's: it must not take EC2's answer with it. */
const OPSWORKS_LIMIT_MS = 10_000;

/** Given a scope and who its credentials are, return under what its answer is kept. */
export function keyOf(scope: EnvironmentScope, identity: Identity): CacheKey {
  const asked = ["ec2", scope.hasElasticIps && "eip", scope.hasOpsWorks && "opsworks"];
  return { ...identity, region: scope.region, asked: asked.filter(Boolean).join("-") };
}

/**
 * Given a scope and who its credentials are, return what AWS answers now, and keep it where all of it was answered. What fails is a gap,
 * filled with the last answer where there is one; only an OpsWorks that is closed is no more than a note.
 */
export async function askScope(
  scope: EnvironmentScope,
  identity: Identity,
  options: AskOptions,
): Promise<ScopeAnswer> {
  const limit = AbortSignal.timeout(REGION_LIMIT_MS);
  const access = {
    environment: options.environment,
    signal: AbortSignal.any([options.signal, limit]),
  };
  const key = keyOf(scope, identity);
  const { keepMemoryFlat } = await import("../system/keep-memory-flat.ts");
  // Pages of thousands of instances come and go.
  keepMemoryFlat();
  const { fetchInstances } = await import("./ec2-instances.ts");
  try {
    const [found, elasticIps, opsWorks] = await within(
      access.signal,
      Promise.all([
        fetchInstances(scope, {}, access),
        askElasticIps(scope, access),
        askOpsWorks(scope, access),
      ]),
    );
    const now = {
      at: new Date().toISOString(),
      instances: [...elasticIps.join(found), ...opsWorks.instances],
      notes: opsWorks.notes,
    };
    const gaps = [...elasticIps.gaps, ...opsWorks.gaps];
    const answer = { account: identity.account, answers: [now], notes: [], gaps };
    if (gaps.length === 0) {
      const notes = await writeCachedAnswer(options.cacheFolder, key, now).then(
        () => [],
        (error: unknown) => [
          `the answer of ${describeScope(scope)} is not kept: ${describeError(error)}`,
        ],
      );
      return { ...answer, notes };
    }
    const before = readCachedAnswer(options.cacheFolder, key);
    if (opsWorks.gaps.length === 0 || !before) return answer;
    const instances = before.instances.filter(({ source }) => source === "opsworks");
    return {
      ...answer,
      answers: [now, { ...before, instances }],
      gaps: [...elasticIps.gaps, ...opsWorks.gaps.map((gap) => ({ ...gap, shownFrom: before.at }))],
    };
  } catch (error) {
    options.signal.throwIfAborted();
    return recallAnswer(scope, identity, limit.aborted ? tooSlow(scope) : error, options);
  }
}

/** Given a scope that could not be asked, and why, return its last answer where its owner is known and there is one, and the gap. */
export function recallAnswer(
  scope: EnvironmentScope,
  identity: Identity | undefined,
  error: unknown,
  options: AskOptions,
): ScopeAnswer {
  const hosts = "its hosts are missing below";
  const gap = { ...makeGap(scope, error, hosts), hidesInstances: true };
  if (!identity) return { answers: [], notes: [], gaps: [gap] };
  const { account } = identity;
  const shown = readCachedAnswer(options.cacheFolder, keyOf(scope, identity));
  if (!shown) return { account, answers: [], notes: [], gaps: [gap] };
  return { account, answers: [shown], notes: [], gaps: [{ ...gap, shownFrom: shown.at }] };
}

/** What a promise resolves to, unless the signal is fired before: some things do not heed it, a program that gives credentials, a wait of the SDK. */
export function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

async function askElasticIps(
  scope: EnvironmentScope,
  access: AwsAccess,
): Promise<{ join: (instances: Instance[]) => Instance[]; gaps: InventoryGap[] }> {
  if (!scope.hasElasticIps) return { join: (instances) => instances, gaps: [] };
  const { fetchElasticIps } = await import("./elastic-ips.ts");
  try {
    const byInstance = new Map<string, ElasticIp[]>();
    for (const one of await fetchElasticIps(scope, access)) {
      if (one.instanceId === undefined) continue;
      byInstance.set(one.instanceId, [...(byInstance.get(one.instanceId) ?? []), one]);
    }
    const join = (instances: Instance[]): Instance[] =>
      instances.map((instance) => {
        const elasticIps = byInstance.get(instance.id);
        return elasticIps ? { ...instance, elasticIps } : instance;
      });
    return { join, gaps: [] };
  } catch (error) {
    access.signal.throwIfAborted();
    const lost = "a host that is known by an elastic IP stands apart from its instance";
    return { join: (instances) => instances, gaps: [makeGap(scope, error, lost)] };
  }
}

/** AWS closed the service in 2024: that nobody answers any more is a note; an answer that cannot be had is a gap. */
async function askOpsWorks(
  scope: EnvironmentScope,
  { environment, signal }: AwsAccess,
): Promise<Pick<CachedAnswer, "instances" | "notes"> & { gaps: InventoryGap[] }> {
  if (!scope.hasOpsWorks) return { instances: [], notes: [], gaps: [] };
  const { fetchOpsWorksInstances } = await import("./opsworks-instances.ts");
  const limit = AbortSignal.timeout(OPSWORKS_LIMIT_MS);
  try {
    const access = { environment, signal: AbortSignal.any([signal, limit]) };
    const instances = await within(access.signal, fetchOpsWorksInstances(scope, access));
    return { instances, notes: [], gaps: [] };
  } catch (error) {
    signal.throwIfAborted();
    const isGone = limit.aborted || (error instanceof OperatorError && isClosed(error.cause));
    if (!isGone) {
      const gap = makeGap(scope, error, "hosts that OpsWorks alone knows are missing below");
      return { instances: [], notes: [], gaps: [gap] };
    }
    const why = limit.aborted ? `no answer within ${OPSWORKS_LIMIT_MS / 1000} s` : error;
    const note = `OpsWorks does not answer in ${describeScope(scope)}, only its tags are used: ${describeError(why)}`;
    return { instances: [], notes: [note], gaps: [] };
  }
}

function makeGap(scope: EnvironmentScope, error: unknown, lost: string): InventoryGap {
  const { region, profile } = scope;
  return {
    error:
      error instanceof OperatorError
        ? error
        : new OperatorError("failed", describeError(error), { cause: error }),
    region,
    ...(profile !== undefined && { profile }),
    lost,
    hidesInstances: false,
  };
}

function tooSlow(scope: EnvironmentScope): OperatorError {
  return new OperatorError(
    "unreachable",
    `${describeScope(scope)}: no answer within ${REGION_LIMIT_MS / 1000} s`,
    { next: "try again, or leave the region out with --region" },
  );
}

const NOBODY_THERE = new Set(["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "EHOSTUNREACH"]);
const NOT_OFFERED = new Set([
  "OptInRequired",
  "SubscriptionRequiredException",
  "UnknownOperationException",
  "InvalidAction",
  "TimeoutError",
]);
const GONE = new Set([404, 410]);

/**
 * Given what a call to a service threw, return whether it tells that the service is closed: no such name, nobody there, no answer, not
 * offered to this account, or gone. Who is denied, slowed down or signed out has met a service that is open.
 */
function isClosed(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (NOBODY_THERE.has(errorCode(error) ?? "") || NOT_OFFERED.has(error.name)) return true;
  return GONE.has(readStatus(error) ?? 0);
}

/** Where the answer could not be read, the SDK has no status, but the answer. */
function readStatus(error: Error): number | undefined {
  const { $metadata, $response } = error as Error & {
    $metadata?: { httpStatusCode?: number };
    $response?: { statusCode?: number };
  };
  return $metadata?.httpStatusCode ?? $response?.statusCode;
}
