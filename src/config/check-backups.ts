import type { BackupJobConfig } from "./backup-schema.ts";
import type { BrokenReference, Config, Kinds } from "./schema.ts";

/** Given a configuration of the right shape, return what its backups say of other parts that is not so. Pure. */
export function checkBackups(config: Config, kinds: Kinds): BrokenReference[] {
  const { destinations = {}, jobs = {} } = config.backups ?? {};
  return [
    ...Object.entries(destinations).flatMap(([name, place]) =>
      place && "bucket" in place
        ? lookUp(place.environment, config.environments, "environment", [
            "destinations",
            name,
            "environment",
          ])
        : [],
    ),
    ...Object.entries(jobs).flatMap(([name, job]) => checkJob(job, config, kinds, ["jobs", name])),
    ...kinds.flatMap((kind) => kind.checkJobs?.(config) ?? []),
  ];
}

function checkJob(
  job: BackupJobConfig,
  config: Config,
  kinds: Kinds,
  at: PropertyKey[],
): BrokenReference[] {
  const { services = {}, backups } = config;
  const kindOf = (service: string): string | undefined =>
    Object.hasOwn(services, service) ? services[service]?.kind : undefined;
  const kind = kindOf(job.service);
  const report = (key: string, message: string): BrokenReference => ({
    path: ["backups", ...at, key],
    message,
  });
  return [
    ...lookUp(job.service, services, "service", [...at, "service"]),
    ...(["scratch", "copy"] as const).flatMap((key) => {
      const other = job[key];
      if (other === undefined) return [];
      if (other === job.service) return [report(key, `${other} is what the job backs up itself`)];
      const otherKind = kindOf(other);
      return otherKind !== undefined && kind !== undefined && otherKind !== kind
        ? [report(key, `${other} is a ${otherKind} service, ${job.service} is ${kind}`)]
        : lookUp(other, services, "service", [...at, key]);
    }),
    ...(job.destinations ?? []).flatMap((name, index) =>
      lookUp(name, backups?.destinations, "destination", [...at, "destinations", index]),
    ),
    ...kinds.flatMap((other) =>
      Object.hasOwn(job, other.kind) && kind !== undefined && other.kind !== kind
        ? [report(other.kind, `${job.service} is a ${kind} service`)]
        : [],
    ),
  ];
}

function lookUp(
  name: string | undefined,
  there: object | undefined,
  what: string,
  path: PropertyKey[],
): BrokenReference[] {
  return name === undefined || Object.hasOwn(there ?? {}, name)
    ? []
    : [{ path: ["backups", ...path], message: `there is no ${what} ${name}` }];
}
