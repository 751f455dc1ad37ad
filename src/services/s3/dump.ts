import { createReadStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { BackupWarning, DumpOptions, DumpOutcome, PartSink } from "../backup-driver.ts";
import type { SetContent } from "../set-content.ts";
import { OperatorError } from "../../system/errors.ts";
import { countOf, pluralOf } from "../../system/quantities.ts";
import type { BucketPlace } from "./bucket-place.ts";
import { identifyBucket } from "./bucket-side.ts";
import { CATALOG_FORMAT } from "./catalog.ts";
import { makeCopier } from "./copy-one.ts";
import { copyPairs, type CopySums } from "./copy-pairs.ts";
import { joinListings } from "./join-listings.ts";
import { judgeListing } from "./judge-listing.ts";
import { keepPace, type Pace } from "./keep-pace.ts";
import {
  type CopyPlace,
  keepsVersions,
  refuseOverlap,
  withCopy,
  withSource,
} from "./open-places.ts";
import { removeMissing } from "./remove-missing.ts";
import { spoolListing } from "./spool-listing.ts";
import { sweepUploads } from "./sweep-uploads.ts";
import { openWorkCatalog, type WorkCatalog } from "./work-catalog.ts";
import type { ServicePlace } from "../../reach/service-place.ts";
import type { S3Config, S3Job } from "./settings.ts";

/** The part of a set that says what was in the copy then. */
const CATALOG_PART = "objects/catalog.ndjson";
/** Past this share of objects that vanished while they were copied, the set is not whole. */
const VANISHED_SHARE = 0.01;
/** After so many days the copy itself is looked through, and not the catalog alone. */
const USUAL_AUDIT_DAYS = 7;
const DAY_MS = 86_400_000;

/**
 * Copy what is new or changed in a bucket since the last run to the place of its copy, and write the catalog of what is there as the part of the set.
 * The source is listed whole first; where the listing cannot be believed nothing is touched.
 */
export function dumpBucket(
  place: ServicePlace<S3Config>,
  sink: PartSink,
  options: DumpOptions<S3Job>,
): Promise<DumpOutcome> {
  const { signal } = options;
  const way = { signal, pace: keepPace(signal), action: "s3:GetObject and s3:PutObject" };
  return withSource(place, way, (source) =>
    withCopy(place, options, way, (copy) => dumpBetween(source, copy, way.pace, sink, options)),
  );
}

async function dumpBetween(
  source: BucketPlace,
  copy: CopyPlace,
  pace: Pace,
  sink: PartSink,
  options: DumpOptions<S3Job>,
): Promise<DumpOutcome> {
  const { job, update, jobFolder, setId } = options;
  const began = new Date();
  refuseOverlap(source, copy);
  await mkdir(jobFolder, { recursive: true, mode: 0o700 });
  const identity = { source: identifyBucket(source), copy: copy.side.identity };
  const work = await openWorkCatalog(jobFolder, identity);
  const lost = work.isAbsent ? await findLost(identity.source, options) : undefined;
  const isVersioned = copy.bucket ? await keepsVersions(copy.bucket, pace) : true;
  if (job.s3?.remove && !isVersioned) refuseRemoving(copy);
  if (copy.bucket && work.killedAt !== undefined)
    await sweepUploads(copy.bucket, source, pace, {
      from: new Date(work.killedAt),
      until: began,
    });

  let seen = 0;
  const isAudit = work.end !== undefined && isAuditDue(work, job.s3?.auditDays, began);
  const splits = work.end?.splits ?? [];
  const [listing, copied] = await allWell([
    spoolListing(source, pace, {
      path: join(options.folder, "listing"),
      splits,
      seen: (more) => update(`${countOf((seen += more), "object")} listed`),
    }),
    isAudit && copy.bucket
      ? spoolListing(copy.bucket, pace, { path: join(options.folder, "copy"), splits })
      : undefined,
  ]);
  judgeListing({
    place: source.place,
    listed: listing.objects,
    known: work.end?.objects ?? lost?.facts[0]?.rows,
    shrinkPercent: job.s3?.shrinkPercent,
  });
  const known = await work.read();
  if (!known.head && !isVersioned)
    await refuseStrangers(copy, pace, lost && adviseLost(work, lost));
  if (lost)
    options.warn(
      `${describeLost(work, lost)}: everything is copied anew; to avoid that, stop this run, and ${adviseLost(work, lost)}`,
    );

  const writer = await work.write({
    format: CATALOG_FORMAT,
    ...identity,
    setId,
    startedAt: began.toISOString(),
  });
  const inspection = isAudit ? copy.side.inspect(copied?.read()) : undefined;
  let sums: CopySums;
  let removed: ReadonlySet<string> = new Set();
  try {
    sums = await copyPairs(joinListings(listing.read(), known.entries), {
      copyOne: makeCopier(source, copy, pace),
      writer,
      settle: copy.side.settle,
      total: listing.objects,
      update,
      inspection,
      most: job.s3?.remove?.atMost ?? 0,
    });
    if (job.s3?.remove)
      removed = await removeMissing(sums, { source, side: copy.side, pace, ...options });
  } catch (error) {
    await writer.leave();
    throw error;
  } finally {
    await inspection?.end();
  }
  const auditedAt = isAudit || work.end === undefined ? began.toISOString() : work.end.auditedAt;
  const end = await writer.finish({
    without: removed,
    ...(auditedAt !== undefined && { auditedAt }),
  });
  await sink.write(
    { path: CATALOG_PART, object: source.place, role: "catalog", seq: 0 },
    createReadStream(work.path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>,
  );
  return {
    consistency: {
      level: "per-object",
      at: began.toISOString(),
      proof: {
        listed: listing.objects,
        same: sums.same,
        copied: sums.copied,
        copiedBytes: sums.copiedBytes,
        changedMeanwhile: sums.changed,
        vanished: sums.vanished,
        mended: sums.mended,
        goneAtSource: end.missing,
        removed: removed.size,
        triedAgain: pace.retries(),
      },
    },
    source: { engine: "s3", version: source.endpoint, serverId: identity.source },
    facts: [{ object: source.place, rows: end.objects }],
    skipped: describeSkipped(sums, listing.objects, job.s3?.remove?.atMost),
    warnings: warnOf(copy, isVersioned, sums),
  };
}

/** Each must have ended before one's failure is told. */
async function allWell<A, B>([one, other]: [Promise<A>, Promise<B> | undefined]): Promise<
  [A, B | undefined]
> {
  const [first, second] = await Promise.allSettled([one, other]);
  if (first.status === "rejected") throw first.reason;
  if (second.status === "rejected") throw second.reason;
  return [first.value, second.value];
}

function isAuditDue({ end }: WorkCatalog, days: number | undefined, now: Date): boolean {
  const at = Date.parse(end?.auditedAt ?? "");
  return !(now.getTime() - at < (days ?? USUAL_AUDIT_DAYS) * DAY_MS);
}

function refuseRemoving({ side }: CopyPlace): never {
  throw new OperatorError(
    "configuration",
    `${side.place} keeps no versions, so that nothing is removed from it`,
    { next: "enable versioning of that bucket, or take s3.remove out of the job" },
  );
}

/** The newest set of this source, whose catalog should be at hand and is not: the machine is another one, or its state is gone. */
async function findLost(
  sourceId: string,
  { earlier }: DumpOptions,
): Promise<SetContent | undefined> {
  const newest = await earlier();
  return newest?.source.serverId === sourceId ? newest : undefined;
}

const describeLost = ({ path }: WorkCatalog, { setId }: SetContent): string =>
  `${path}, the catalog of what was copied until ${setId}, is lost`;

/** The set has the same bytes, but it takes the operator's key to read them. */
const adviseLost = ({ path }: WorkCatalog, { setId }: SetContent): string =>
  `write the catalog of ${setId} to ${path}, by the command in its RESTORE.txt`;

/** What lcops has not put there could be somebody's, and would be lost. `advice`: how what was known of them is had back. */
async function refuseStrangers(
  { bucket }: CopyPlace,
  pace: Pace,
  advice: string | undefined,
): Promise<void> {
  if (!bucket) return;
  const { listBucket } = await import("./list-bucket.ts");
  const pages = listBucket(bucket, pace);
  const first = await pages.next();
  await pages.return(undefined);
  if (first.done) return;
  throw new OperatorError(
    "refused",
    `${bucket.place} has objects already, of which lcops knows nothing, and keeps no versions of what is replaced`,
    {
      next: `${advice === undefined ? "" : `${advice}, or `}copy to an empty prefix, or enable versioning of that bucket`,
    },
  );
}

/** Named one by one up to so many; the rest is counted. */
const NAMED = 100;

function describeSkipped(
  { skipped, skippedCount, vanished, candidates, candidateCount }: CopySums,
  listed: number,
  atMost: number | undefined,
): { object: string; reason: string }[] {
  const named = skipped.slice(0, NAMED);
  return [
    ...named,
    ...(skippedCount > named.length
      ? [
          {
            object: countOf(skippedCount - named.length, "more object"),
            reason: "they were not copied",
          },
        ]
      : []),
    ...(vanished > Math.max(1, listed * VANISHED_SHARE)
      ? [{ object: countOf(vanished, "object"), reason: "they vanished while they were copied" }]
      : []),
    ...(atMost !== undefined && candidateCount > candidates.length
      ? [
          {
            object: `${countOf(candidateCount, "object that is", "objects that are")} gone at the source`,
            reason: `more than s3.remove.atMost, ${atMost}: none was removed`,
          },
        ]
      : []),
  ];
}

function warnOf({ side }: CopyPlace, isVersioned: boolean, sums: CopySums): BackupWarning[] {
  return [
    ...(isVersioned
      ? []
      : [
          {
            code: "KEEPS_NO_VERSIONS",
            object: side.place,
            detail: "an older set cannot give back what a later run has replaced",
          },
        ]),
    ...(sums.mended > 0
      ? [
          {
            code: "COPY_MENDED",
            object: side.place,
            detail: `${countOf(sums.mended, "object was not as it had", "objects were not as they had")} been copied, and ${pluralOf(sums.mended, "was", "were")} copied again`,
          },
        ]
      : []),
  ];
}
