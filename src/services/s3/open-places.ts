import { homedir } from "node:os";
import { join } from "node:path";
import { OperatorError } from "../../system/errors.ts";
import type { DriverOptions } from "../backup-driver.ts";
import type { BucketTarget, RestoreTarget } from "../restore-target.ts";
import { type BucketPlace, isNamed, isOfSdk, openBucketPlace, statusOf } from "./bucket-place.ts";
import { bucketSide } from "./bucket-side.ts";
import { folderSide } from "./folder-side.ts";
import type { Pace } from "./keep-pace.ts";
import type { ObjectSide } from "./object-side.ts";
import type { CopyConfig, S3Config, S3Job } from "./settings.ts";

/** A bucket of the configuration and the ways to it. */
type BucketService = BucketTarget<S3Config>["place"];

/** Where a job copies to: its side, and the bucket behind it where it is one. */
export interface CopyPlace {
  side: ObjectSide;
  bucket?: BucketPlace;
}

/** Given a bucket that is open, call `use`, and close it behind that. What AWS refuses meanwhile and nobody has told is told as a matter of `action`. */
async function closeBehind<T>(
  bucket: BucketPlace | undefined,
  { signal, action }: { signal: AbortSignal; action: string },
  use: () => Promise<T>,
): Promise<T> {
  const close = (): void => bucket?.client.destroy();
  // What is on its way without a signal of its own ends with its connection.
  signal.addEventListener("abort", close);
  try {
    return await use();
  } catch (error) {
    signal.throwIfAborted();
    throw bucket && isOfSdk(error) ? bucket.explain(error, action) : error;
  } finally {
    signal.removeEventListener("abort", close);
    close();
  }
}

/** Given a service of S3, call `use` with its bucket, and close it behind that. What AWS refuses is told as a matter of `action`, an action of IAM. */
export async function withSource<T>(
  place: BucketService,
  way: { signal: AbortSignal; action: string },
  use: (source: BucketPlace) => Promise<T>,
): Promise<T> {
  const source = await openSource(place);
  return closeBehind(source, way, () => use(source));
}

/** Given a job of S3, call `use` with the place of its copy, and close it behind that. What AWS refuses is told as a matter of `action`, an action of IAM. */
export async function withCopy<T>(
  place: BucketService,
  { job, signal }: Pick<DriverOptions<S3Job>, "job" | "signal">,
  { pace, action }: { pace: Pace; action: string },
  use: (copy: CopyPlace) => Promise<T>,
): Promise<T> {
  const copy = await openCopy(place, { job, signal }, pace);
  return closeBehind(copy.bucket, { signal, action }, () => use(copy));
}

/** Given a service of S3, open its bucket, with what stands behind the slash of `--into SERVICE/WITHIN` in front of its keys. */
async function openSource(place: BucketService): Promise<BucketPlace> {
  const { bucket, prefix, region } = place.config;
  const parts = [prefix, place.within?.replace(/\/+$/, "")].filter((part) => Boolean(part));
  return openBucketPlace(
    { bucket, ...(parts.length > 0 && { prefix: parts.join("/") }) },
    await place.aws(region),
  );
}

/** Returns the bucket that a target is. Pure. */
export function bucketOf(target: RestoreTarget<S3Config>): BucketService {
  if (target.kind === "bucket") return target.place;
  throw new Error(`a set of objects is restored into a bucket or a folder, not a ${target.kind}`);
}

/** Given a job of S3, open the place of its copy. */
async function openCopy(
  place: BucketService,
  { job, signal }: Pick<DriverOptions<S3Job>, "job" | "signal">,
  pace: Pace,
): Promise<CopyPlace> {
  const to = copyOf(job);
  if ("folder" in to) {
    const folder = to.folder.replace(/^~(?=\/|$)/, homedir());
    return { side: folderSide(join(folder), { keepsReplaced: true }) };
  }
  const { bucket, prefix, region, environment } = to;
  const opened = await openBucketPlace(
    { bucket, ...(prefix !== undefined && { prefix }) },
    await place.aws(region, environment),
  );
  return { side: bucketSide(opened, pace, signal), bucket: opened };
}

function copyOf(job: S3Job): CopyConfig {
  if (job.s3) return job.s3.to;
  throw new OperatorError("configuration", "it is not said where the bucket is copied to", {
    next: "give the job a section s3, with to: a bucket or a folder",
  });
}

/** Given a source and its copy, throw `configuration` where one lies within the other: each run would copy what the last one has copied. */
export function refuseOverlap(source: BucketPlace, { bucket }: CopyPlace): void {
  if (!bucket || bucket.endpoint !== source.endpoint || bucket.bucket !== source.bucket) return;
  const [one, other] = [source.prefix, bucket.prefix];
  if (!one.startsWith(other) && !other.startsWith(one)) return;
  throw new OperatorError(
    "configuration",
    `${bucket.place} lies within ${source.place}, or the other way round`,
    {
      next: "copy to another bucket, or to a prefix beside that of the source",
    },
  );
}

/** Given a bucket, return whether it keeps what is replaced and removed; false where it does not say. */
export async function keepsVersions(place: BucketPlace, pace: Pace): Promise<boolean> {
  const { GetBucketVersioningCommand } = await import("@aws-sdk/client-s3");
  const command = new GetBucketVersioningCommand({ Bucket: place.bucket });
  try {
    const { Status } = await pace.run((abortSignal) => place.client.send(command, { abortSignal }));
    return Status === "Enabled";
  } catch (error) {
    const isUntold = isNamed(error, "AccessDenied", "NotImplemented", "MethodNotAllowed");
    if (isUntold || statusOf(error) === 501 || statusOf(error) === 405) return false;
    throw place.explain(error, "s3:GetBucketVersioning");
  }
}
