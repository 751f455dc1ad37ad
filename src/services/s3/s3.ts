import type { BrokenReference, Config } from "../../config/schema.ts";
import { serviceType } from "../service.ts";
import { jobSettings, type S3Config, type S3Job, settings } from "./settings.ts";

/** Buckets of S3, which are reached through AWS and by no port. */
export const s3 = serviceType<S3Config>({
  kind: "s3",
  settings,
  jobSettings,
  checkJobs,
  scheme: "http",
  isAskedWhileIdle: true,
  counts: "object",
  fitsFolder: true,
  probe: () => Promise.resolve({ answers: false, detail: "a bucket has no port" }),
  answers: async (place, signal) => {
    const { withSource } = await import("./open-places.ts");
    const { HeadBucketCommand } = await import("@aws-sdk/client-s3");
    return withSource(place, { signal, action: "s3:ListBucket" }, async ({ bucket, client }) => {
      await client.send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal: signal });
      return true;
    });
  },
  backup: async () => (await import("./backup.ts")).s3Backup,
});

/** A bucket is not read into a set, but copied somewhere: not into itself, and not where another is copied to. */
function checkJobs(config: Config): BrokenReference[] {
  const jobs: [string, S3Job][] = Object.entries(config.backups?.jobs ?? {});
  return [
    ...jobs.flatMap(([name, job]) => {
      const source = config.services?.[job.service];
      return s3.is(source) ? checkCopy(job, source, config, ["backups", "jobs", name]) : [];
    }),
    ...findSharedCopies(jobs),
  ];
}

function checkCopy(
  job: S3Job,
  source: S3Config,
  config: Config,
  at: PropertyKey[],
): BrokenReference[] {
  if (!job.s3)
    return [{ path: at, message: "a bucket is copied: say where to, under s3 of the job" }];
  const { to } = job.s3;
  if (!("bucket" in to)) return [];
  const path = [...at, "s3", "to"];
  const [one, other] = [source, to].map(({ prefix }) => (prefix === undefined ? "" : `${prefix}/`));
  const isWithin = one?.startsWith(other ?? "") || other?.startsWith(one ?? "");
  const environment = to.environment ?? source.environment;
  return [
    ...(to.environment === undefined || Object.hasOwn(config.environments ?? {}, to.environment)
      ? []
      : [
          {
            path: [...path, "environment"],
            message: `there is no environment ${to.environment}`,
          },
        ]),
    ...(to.bucket === source.bucket && environment === source.environment && isWithin
      ? [{ path, message: `${job.service} would be copied into itself, or out of its own copy` }]
      : []),
  ];
}

/** Two copies in one place would take each other's objects for their own. */
function findSharedCopies(jobs: readonly [string, S3Job][]): BrokenReference[] {
  const places = jobs.flatMap(([name, { s3 }]) => {
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
