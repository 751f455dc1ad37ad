import type { Config } from "../config/schema.ts";
import type { CachedAnswer } from "./instance-cache.ts";
import type { SeenInstance } from "./merge-hosts.ts";

/**
 * Given the configuration, an account and the environments that were asked through a profile of it, return the environments to which its
 * machines may belong. Guards go by account, not by the name of a profile: those that the configuration gives the account to, else those asked.
 */
export function environmentsOf(
  environments: Config["environments"],
  account: string | undefined,
  asked: readonly string[],
): string[] {
  const owners = Object.entries(environments ?? {}).flatMap(([name, { aws }]) =>
    account !== undefined && aws?.account === account ? [name] : [],
  );
  return owners.length > 0 ? owners : [...new Set(asked)];
}

/**
 * Given what was answered for an account, the environments to which it may belong and all that are configured, return its instances, each
 * with its environment: a tag that names one which is not the account's is passed over, and the machine belongs to the one that is, to none
 * where there are several: then it is guarded as production. A tag that names no environment of the configuration is shown as it is.
 * They are marked in place: a copy of tens of thousands would be a tenth of the memory.
 */
export function markSeen(
  answers: readonly CachedAnswer[],
  environments: readonly string[],
  configured: readonly string[],
): SeenInstance[] {
  const [only] = environments.length === 1 ? environments : [];
  const isForeign = (tag: string): boolean =>
    configured.includes(tag) && !environments.includes(tag);
  const tagged = new Set(
    answers.flatMap(({ instances }) =>
      instances.flatMap(({ id, environment }) =>
        environment === undefined || isForeign(environment) ? [] : [id],
      ),
    ),
  );
  return answers.flatMap(({ at, instances }) =>
    instances.map((instance): SeenInstance => {
      const { environment: tag } = instance;
      const isOwn = tag !== undefined && !isForeign(tag);
      const environment = isOwn ? tag : tagged.has(instance.id) ? undefined : only;
      const seen = Object.assign(instance, { at });
      if (environment !== undefined) seen.environment = environment;
      else if (tag !== undefined) delete seen.environment;
      return seen;
    }),
  );
}
