import type { Config } from "./schema.ts";

/** Given the name of an environment, return whether it is guarded as production: one that is not marked is, and so is what belongs to none. Pure. */
export function isGuarded(environment: string | undefined, config: Config): boolean {
  return environment === undefined || config.environments?.[environment]?.production !== false;
}
