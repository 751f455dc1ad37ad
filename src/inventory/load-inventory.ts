import pLimit from "p-limit";
import { describeScope } from "../aws/aws-scope.ts";
import type { AwsAccess } from "../aws/client-options.ts";
import { refuseOtherAccount } from "../aws/refuse-other-account.ts";
import type { Identity } from "../aws/identify-account.ts";
import type { Config } from "../config/schema.ts";
import { readSshHosts } from "../config/ssh-hosts.ts";
import { OperatorError } from "../system/errors.ts";
import {
  type AskOptions,
  askScope,
  type InventoryGap,
  keyOf,
  recallAnswer,
  type ScopeAnswer,
  within,
} from "./ask-scope.ts";
import type { Host } from "./host.ts";
import { readCachedAnswer } from "./instance-cache.ts";
import { environmentsOf, markSeen } from "./mark-seen.ts";
import { mergeHosts, type SeenInstance } from "./merge-hosts.ts";
import type { EnvironmentScope } from "./plan-scopes.ts";
import { recallIdentity, rememberIdentity } from "./remember-identity.ts";

export interface InventoryOptions extends AskOptions {
  scopes: readonly EnvironmentScope[];
  /** `list`: an answer of the last five minutes will do; `refresh`: only AWS itself. */
  freshness: "list" | "refresh";
}

export interface Inventory {
  hosts: Host[];
  gaps: InventoryGap[];
  /** A closed OpsWorks and the like: worth a line, no failure. */
  notes: string[];
  /** The accounts that were seen. */
  accounts: string[];
  /** The oldest answer among those that are shown (ISO 8601); absent: AWS was not asked. */
  asOf?: string;
}

/** AWS' limits are by account and region; more at once would only be throttled. */
const AT_ONCE = 8;
const FRESH_MS = 5 * 60 * 1000;
/** Who somebody is, a sign-on that a program does included. */
const IDENTITY_LIMIT_MS = 20_000;

/**
 * Given the configuration and the scopes, return the inventory of every source, the regions asked in parallel. A region that fails is a gap,
 * filled with its last answer where there is one. Throws `refused` where a profile belongs to another account than the configuration says,
 * before AWS was asked anything else than who the profiles are.
 */
export async function loadInventory(config: Config, options: InventoryOptions): Promise<Inventory> {
  const { scopes } = options;
  const configured = Object.keys(config.environments ?? {});
  const answered = await answerScopes(options);
  const accounts = [...new Set(answered.flatMap(({ account }) => account ?? []))];
  const sshHosts = readSshHosts(config.ssh?.configFile);
  const instances = new Map<string, SeenInstance>();
  for (const { account, answers } of answered) {
    // Several profiles may see one account.
    const asked = scopes.filter((_scope, index) => answered[index]?.account === account);
    const environments = environmentsOf(
      config.environments,
      account,
      asked.flatMap((scope) => scope.environments),
    );
    for (const instance of markSeen(answers, environments, configured)) {
      instances.set(`${instance.source} ${instance.id}`, instance);
    }
  }
  const asOf = answered.flatMap(({ answers }) => answers.map(({ at }) => at)).sort()[0];
  return {
    hosts: mergeHosts(config.hosts, [...instances.values()], sshHosts, configured),
    gaps: [...answered.flatMap(({ gaps }) => gaps), ...findStrangers(config, scopes, answered)],
    notes: answered.flatMap(({ answers, notes }) => [
      ...answers.flatMap((answer) => answer.notes),
      ...notes,
    ]),
    accounts,
    ...(asOf !== undefined && { asOf }),
  };
}

async function answerScopes(options: InventoryOptions): Promise<ScopeAnswer[]> {
  const { scopes } = options;
  const fresh = scopes.map((scope) => readFreshAnswer(scope, options));
  if (fresh.every((answer) => answer !== undefined)) return fresh;
  const limit = pLimit(AT_ONCE);
  const refused = new AbortController();
  const asking = { ...options, signal: AbortSignal.any([options.signal, refused.signal]) };
  // Before anything is asked in the name of any: one that belongs to another account refuses them all.
  const whoIs = await Promise.all(
    scopes.map(async (scope, index) =>
      fresh[index] ? undefined : limit(() => tellWho(scope, asking)),
    ),
  ).catch((error: unknown) => {
    refused.abort(error);
    throw error;
  });
  return Promise.all(
    scopes.map(async (scope, index) => {
      const { identity, error } = whoIs[index] ?? {};
      if (identity && error === undefined) return limit(() => askScope(scope, identity, options));
      return fresh[index] ?? recallAnswer(scope, identity, error, options);
    }),
  );
}

/** Who the credentials of a scope are; where that is not answered, why, and who it was the last time with the same ones. Throws `refused`. */
async function tellWho(
  scope: EnvironmentScope,
  options: InventoryOptions,
): Promise<{ identity?: Identity; error?: unknown }> {
  const limit = AbortSignal.timeout(IDENTITY_LIMIT_MS);
  const { environment } = options;
  const access = { environment, signal: AbortSignal.any([options.signal, limit]) };
  const told = await within(access.signal, identify(scope, options, access)).then(
    (identity) => ({ identity }),
    (error: unknown) => {
      options.signal.throwIfAborted();
      const identity = recallIdentity(scope, options);
      return { error: limit.aborted ? notKnown(scope) : error, ...(identity && { identity }) };
    },
  );
  if (told.identity) refuseOtherAccount(scope, told.identity);
  return told;
}

/** What will do for a listing, without asking anybody. Only a fresh answer is held: an old one beside its successor would double the memory. */
function readFreshAnswer(
  scope: EnvironmentScope,
  options: InventoryOptions,
): ScopeAnswer | undefined {
  const identity = options.freshness === "list" ? recallIdentity(scope, options) : undefined;
  if (!identity) return undefined;
  refuseOtherAccount(scope, identity);
  const known = readCachedAnswer(options.cacheFolder, keyOf(scope, identity));
  const isFresh = known && Date.now() - Date.parse(known.at) < FRESH_MS;
  return isFresh ? { answers: [known], account: identity.account, notes: [], gaps: [] } : undefined;
}

/** Who asks: it names the cache, and must be the account of the configuration. */
function identify(
  scope: EnvironmentScope,
  { cacheFolder, environment, freshness }: Omit<InventoryOptions, "scopes">,
  access: AwsAccess,
): Promise<Identity> {
  const refresh = freshness === "refresh";
  return rememberIdentity(scope, { cacheFolder, environment, refresh }, async () => {
    const { identifyAccount } = await import("../aws/identify-account.ts");
    return identifyAccount(scope, access);
  });
}

/** Given a scope, throw `refused` where its credentials belong to another account than the configuration says. For connecting: AWS is asked, not the memory. */
export async function checkAccount(scope: EnvironmentScope, options: AskOptions): Promise<void> {
  if (scope.account === undefined) return;
  refuseOtherAccount(scope, await identify(scope, { ...options, freshness: "refresh" }, options));
}

/** Environments whose profile leads to an account that the configuration gives to others: what it sees is theirs, and that must be said. */
function findStrangers(
  { environments }: Config,
  scopes: readonly EnvironmentScope[],
  answered: readonly ScopeAnswer[],
): InventoryGap[] {
  const found = new Map<string, InventoryGap>();
  for (const [index, { profile, environments: asked }] of scopes.entries()) {
    const account = answered[index]?.account;
    const owners = environmentsOf(environments, account, asked);
    for (const name of asked.filter((one) => !owners.includes(one))) {
      const error = new OperatorError(
        "configuration",
        `the profile ${profile ?? "of the environment"} of ${name} belongs to account ${account}, which the configuration gives to ${owners.join(" and ")}`,
        { next: `name the account of ${name} too if they share it, else correct its profile` },
      );
      const lost = `its machines are shown as those of ${owners.join(" or ")}`;
      found.set(name, {
        error,
        ...(profile !== undefined && { profile }),
        lost,
        hidesInstances: false,
      });
    }
  }
  return [...found.values()];
}

function notKnown(scope: EnvironmentScope): OperatorError {
  return new OperatorError(
    "unreachable",
    `sts:GetCallerIdentity in ${describeScope(scope)}: no answer within ${IDENTITY_LIMIT_MS / 1000} s`,
    { next: "try again, or leave the region out with --region" },
  );
}
