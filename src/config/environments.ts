import type { Config, ServiceConfig } from "./schema.ts";

/** Returns the environment of a service: that of its host where it has one, else its own. Pure. */
export function environmentOf(
  service: Pick<ServiceConfig, "host" | "environment"> | undefined,
  { hosts }: Pick<Config, "hosts">,
): string | undefined {
  return service?.host === undefined ? service?.environment : hosts?.[service.host]?.environment;
}

/** Returns whether an environment is guarded as production: one that is not marked is, and so is what belongs to none. Pure. */
export function isGuarded(environment: string | undefined, config: Config): boolean {
  return environment === undefined || config.environments?.[environment]?.production !== false;
}
