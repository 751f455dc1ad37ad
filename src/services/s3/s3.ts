import * as z from "zod/mini";
import type { BackupJobConfig } from "../../config/backup-schema.ts";
import {
  bucketFields,
  count,
  name,
  orAbsent,
  storagePlaces,
  text,
} from "../../config/schema-fields.ts";
import type { BrokenReference, Config } from "../../config/schema.ts";
import { serviceType } from "../service.ts";

const settings = z.strictObject({
  kind: z.literal("s3"),
  environment: orAbsent(name, "Environment whose profile opens it"),
  ...bucketFields,
  title: orAbsent(text, "Its name in the menu"),
});
export type S3Config = z.output<typeof settings>;

const SHARE = "a share in percent is expected";
const DAYS = "a number of days is expected";
const jobSettings = orAbsent(
  z.strictObject({
    to: z
      .union(storagePlaces, 'a copy goes to {"bucket": …} or {"folder": …}')
      .check(z.describe("Where its objects are copied to")),
    remove: orAbsent(
      z.strictObject({
        atMost: count("a number of objects is expected").check(
          z.describe("So many objects a run; where more are gone, none is removed"),
        ),
      }),
      "Whether what two runs in a row have not found at the source is removed from the copy; absent: nothing ever is",
    ),
    shrinkPercent: orAbsent(
      z.int(SHARE).check(z.gte(1, SHARE), z.lte(99, SHARE)),
      "Past this share of the objects gone since the last run, nothing is done; 30 when absent",
    ),
    auditDays: orAbsent(
      z.int(DAYS).check(z.gte(0, DAYS), z.lte(10_000, DAYS)),
      "After so many days a run looks through the copy itself, and not through the catalog alone; 7 when absent, 0: each time",
    ),
  }),
  "How a bucket is copied",
);
export type S3Job = BackupJobConfig & { s3?: z.output<typeof jobSettings> };
export type CopyConfig = NonNullable<S3Job["s3"]>["to"];

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
