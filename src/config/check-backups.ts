import type { BackupJobConfig } from "./backup-schema.ts";
import type { BrokenReference } from "./check-references.ts";
import type { Config } from "./schema.ts";

const SETTINGS = ["mysql", "graphite", "elasticsearch", "s3"] as const;

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
    ...findSharedCopies(jobs),
  ];
}

function checkJob(job: BackupJobConfig, config: Config, at: PropertyKey[]): BrokenReference[] {
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
    ...(kind === "s3" ? checkCopy(job, config, at) : []),
    ...SETTINGS.filter((key) => job[key] && kind !== undefined && key !== kind).map((key) =>
      report(key, `${job.service} is a ${kind} service`),
    ),
  ];
}

/** Two copies in one place would take each other's objects for their own. */
function findSharedCopies(jobs: Readonly<Record<string, BackupJobConfig>>): BrokenReference[] {
  const places = Object.entries(jobs).flatMap(([name, { s3 }]) => {
    if (!s3) return [];
    const { to } = s3;
    const root = "bucket" in to ? `s3://${to.bucket}/${to.prefix ?? ""}` : `file://${to.folder}`;
    return [{ name, root: `${root.replace(/\/+$/, "")}/` }];
  });
  return places.flatMap(({ name, root }, index) => {
    const other = places
      .slice(0, index)
      .find((one) => root.startsWith(one.root) || one.root.startsWith(root));
    return other === undefined
      ? []
      : [
          {
            path: ["backups", "jobs", name, "s3", "to"],
            message: `the copy of the job ${other.name} is in the same place, or within it`,
          },
        ];
  });
}

/** A bucket is not read into a set, but copied somewhere, and not into itself. */
function checkCopy(job: BackupJobConfig, config: Config, at: PropertyKey[]): BrokenReference[] {
  const path = [...at, "s3", "to"];
  if (!job.s3)
    return [
      {
        path: ["backups", ...at],
        message: "a bucket is copied: say where to, under s3 of the job",
      },
    ];
  const { to } = job.s3;
  const source = config.services?.[job.service];
  if (!("bucket" in to) || source?.kind !== "s3") return [];
  const [one, other] = [source, to].map(({ prefix }) => (prefix === undefined ? "" : `${prefix}/`));
  const isWithin = one?.startsWith(other ?? "") || other?.startsWith(one ?? "");
  const environment = to.environment ?? source.environment;
  return [
    ...lookUp(to.environment, config.environments, "environment", [...path, "environment"]),
    ...(to.bucket === source.bucket && environment === source.environment && isWithin
      ? [
          {
            path: ["backups", ...path],
            message: `${job.service} would be copied into itself, or out of its own copy`,
          },
        ]
      : []),
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
