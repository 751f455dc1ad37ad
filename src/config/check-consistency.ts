import type { BrokenReference } from "./check-references.ts";
import type { Config } from "./schema.ts";

/** Given a configuration of the right shape, return what its checks of consistency say of other parts that is not so. Pure. */
export function checkConsistency(config: Config): BrokenReference[] {
  const { services = {}, environments = {} } = config;
  return Object.entries(config.consistency ?? {}).flatMap(([name, entry]) => {
    const at = ["consistency", name];
    const expectKind = (
      service: string,
      kind: "mysql" | "elasticsearch",
      path: PropertyKey[],
    ): BrokenReference[] => {
      const found = Object.hasOwn(services, service) ? services[service] : undefined;
      if (!found) return [{ path, message: `there is no service ${service}` }];
      return found.kind === kind
        ? []
        : [
            {
              path,
              message: `${service} is a ${found.kind} service, and a ${kind} one is expected`,
            },
          ];
    };
    const inEnvironment = (
      environment: string | undefined,
      path: PropertyKey[],
    ): BrokenReference[] =>
      environment === undefined || Object.hasOwn(environments, environment)
        ? []
        : [{ path, message: `there is no environment ${environment}` }];
    return [
      ...expectKind(entry.service, "mysql", [...at, "service"]),
      ...(entry.schema?.services ?? []).flatMap((service, index) => {
        const path = [...at, "schema", "services", index];
        return service === entry.service
          ? [{ path, message: `${service} is what is checked itself` }]
          : expectKind(service, "mysql", path);
      }),
      ...(entry.search ?? []).flatMap(({ service }, index) =>
        expectKind(service, "elasticsearch", [...at, "search", index, "service"]),
      ),
      ...(["objects", "items"] as const).flatMap((key) =>
        (entry[key] ?? []).flatMap(({ environment }, index) =>
          inEnvironment(environment, [...at, key, index, "environment"]),
        ),
      ),
    ];
  });
}
