import type {
  RestoreOptions,
  RestoreOutcome,
  RestorePlan,
  SelectOptions,
} from "../backup-driver.ts";
import type { RestoreTarget } from "../restore-target.ts";
import type { SetReader } from "../set-content.ts";
import { describeError } from "../../system/errors.ts";
import { countOf, pluralOf } from "../../system/quantities.ts";
import type { BucketPlace } from "./bucket-place.ts";
import { bucketSide, identifyBucket } from "./bucket-side.ts";
import { DamagedBytesError } from "./check-bytes.ts";
import { copyObject } from "./copy-object.ts";
import { folderSide } from "./folder-side.ts";
import { keepPace, type Pace } from "./keep-pace.ts";
import type { CatalogEntry } from "./object-entry.ts";
import { LostCopyError, type ObjectSide } from "./object-side.ts";
import { bucketOf, type CopyPlace, withCopy, withSource } from "./open-places.ts";
import { pickObjects } from "./pick-objects.ts";
import { runInOrder } from "./run-in-order.ts";
import { readSetCatalog } from "./set-catalog.ts";
import type { S3Config } from "./settings.ts";

/** Between which two places a restore goes. */
interface Ways {
  copy: CopyPlace;
  target: ObjectSide;
  bucket?: BucketPlace;
  pace: Pace;
  objects: () => Promise<AsyncGenerator<CatalogEntry[]>>;
}

/** Given a set and a place, say what a restore would do there. */
export function planObjectRestore(
  set: SetReader,
  target: RestoreTarget<S3Config>,
  options: SelectOptions<S3Config>,
): Promise<RestorePlan> {
  return withWays(set, target, options, async ({ target: side, bucket, objects }) => {
    const inspection = side.inspect();
    const sums = { objects: 0, bytes: 0, replaced: 0 };
    for await (const entries of await objects()) {
      for (const entry of entries) {
        sums.objects++;
        sums.bytes += entry.size;
        const misfit = await inspection.check(asRestored(entry));
        if (misfit && !misfit.isMissing) sums.replaced++;
      }
      options.update(`${countOf(sums.objects, "object")} looked for`);
    }
    await inspection.end();
    return {
      objects: [`${countOf(sums.objects, "object")}, ${countOf(sums.bytes, "byte")}`],
      replaces:
        sums.replaced === 0
          ? []
          : [`${countOf(sums.replaced, "object")} of the same ${pluralOf(sums.replaced, "key")}`],
      isSource: bucket !== undefined && identifyBucket(bucket) === set.source.serverId,
    };
  });
}

/** As an object is where it was restored, in one piece. */
const asRestored = (entry: CatalogEntry): CatalogEntry => ({ ...entry, copy: {} });

/** Given a set and a place, put the objects of the set there as they were; what is there already as it was is left alone. Returns what the copy has no more. */
export function restoreObjects(
  set: SetReader,
  target: RestoreTarget<S3Config>,
  options: RestoreOptions<S3Config>,
): Promise<RestoreOutcome> {
  return withWays(set, target, options, async (ways) => {
    const inspection = ways.target.inspect();
    const missing: { object: string; reason: string }[] = [];
    let done = 0;
    const restore = async (entry: CatalogEntry): Promise<void> => {
      try {
        await restoreOne(ways, entry);
      } catch (error) {
        const isLost = error instanceof LostCopyError || error instanceof DamagedBytesError;
        if (!isLost) throw error;
        missing.push({ object: entry.key, reason: describeError(error) });
      }
    };
    const wanted = async function* (): AsyncGenerator<CatalogEntry[]> {
      for await (const entries of await ways.objects()) {
        const left: CatalogEntry[] = [];
        for (const entry of entries)
          if (await inspection.check(asRestored(entry))) left.push(entry);
        done += entries.length - left.length;
        yield left;
      }
    };
    for await (const some of runInOrder(wanted(), restore))
      options.update(`${countOf((done += some.length), "object")} restored`);
    await inspection.end();
    await ways.target.settle();
    return { missing };
  });
}

async function restoreOne(ways: Ways, entry: CatalogEntry): Promise<void> {
  const { copy, bucket, target, pace } = ways;
  const { key } = entry;
  const isOneEndpoint =
    copy.bucket?.endpoint === bucket?.endpoint &&
    copy.bucket?.scope.profile === bucket?.scope.profile;
  if (copy.bucket && bucket && isOneEndpoint) {
    const { etag = entry.etag, version } = entry.copy;
    const { version: _ofSource, ...rest } = entry;
    const from = { ...rest, etag, ...(version !== undefined && { version }) };
    try {
      await copyObject(copy.bucket, bucket, from, pace);
      return;
    } catch (error) {
      const name = error instanceof Error ? error.name : "";
      if (name === "NoSuchKey" || name === "NoSuchVersion")
        throw new LostCopyError("the copy does not have it any more");
      if (name === "PreconditionFailed")
        throw new LostCopyError("it was replaced since, and the bucket keeps no versions of then");
      throw error;
    }
  }
  await pace.run(async () => {
    const { content } = await copy.side.open(entry);
    await target.write(key, content);
  });
}

function withWays<T>(
  set: SetReader,
  target: RestoreTarget<S3Config>,
  options: SelectOptions<S3Config>,
  use: (ways: Ways) => Promise<T>,
): Promise<T> {
  const { signal, only, origin, jobFolder } = options;
  const pace = keepPace(signal);
  const way = { signal, pace, action: "s3:GetObject" };
  return withCopy(origin, options, way, (copy) => {
    const objects = async (): Promise<AsyncGenerator<CatalogEntry[]>> =>
      pickObjects(await readSetCatalog(set, copy.side, jobFolder), only);
    if (target.kind === "folder") {
      const side = folderSide(target.folder, { keepsReplaced: false });
      return use({ copy, target: side, pace, objects });
    }
    return withSource(bucketOf(target), { signal, action: "s3:PutObject" }, (bucket) =>
      use({ copy, target: bucketSide(bucket, pace, signal), bucket, pace, objects }),
    );
  });
}
