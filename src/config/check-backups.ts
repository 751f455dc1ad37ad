import type { BackupJobConfig } from "./backup-schema.ts";
import type { BrokenReference } from "./check-references.ts";
import type { Config } from "./schema.ts";

const SETTINGS = ["mysql", "graphite", "elasticsearch"] as const;

/** Given a configuration of the right shape, return what its backups say of other parts that is not so. Pure. */
export function checkBackups(config: Config): BrokenReference[] {
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
    ...Object.entries(jobs).flatMap(([name, job]) => checkJob(job, config, ["jobs", name])),
  ];
}

function checkJob(job: BackupJobConfig, config: Config, at: PropertyKey[]): BrokenReference[] {
  const { services = {}, notify, backups } = config;
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
    ...(job.notify ?? []).flatMap((name, index) =>
      lookUp(name, notify, "notify", [...at, "notify", index]),
    ),
    ...SETTINGS.filter((key) => job[key] && kind !== undefined && key !== kind).map((key) =>
      report(key, `${job.service} is a ${kind} service`),
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
