import type { Config } from "./schema.ts";

/** Given the configuration, return the environment variables that its secrets stand in. Pure. */
export function listSecretVariables(config: Config): string[] {
  const references = [
    ...Object.values(config.services ?? {}).map((service) =>
      "password" in service ? service.password : undefined,
    ),
    ...Object.values(config.notify ?? {}).flatMap((target) => {
      if ("webhook" in target) return [target.webhook];
      return "xmpp" in target ? [target.xmpp.password, target.xmpp.roomPassword] : [];
    }),
    ...(config.backups?.identities ?? []),
    ...Object.values(config.workstation?.launches ?? {}).flatMap((launch) =>
      launch.kind === "jmeter" ? Object.values(launch.properties ?? {}).map(String) : [],
    ),
  ];
  return references.flatMap((reference) => /^\$\{env:([^}]+)\}$/.exec(reference ?? "")?.[1] ?? []);
}
