import type { Config } from "./schema.ts";

/** Given the configuration, return the environment variables that its secrets stand in. Pure. */
export function listSecretVariables(config: Config): string[] {
  return Object.values(config.services ?? {}).flatMap((service) => {
    const reference = "password" in service ? service.password : undefined;
    return /^\$\{env:([^}]+)\}$/.exec(reference ?? "")?.[1] ?? [];
  });
}
