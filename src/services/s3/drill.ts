import { createHash } from "node:crypto";
import { join } from "node:path";
import type { DriverOptions, DrillFindings } from "../backup-driver.ts";
import type { Fact, SetReader } from "../set-content.ts";
import { describeError } from "../../system/errors.ts";
import { isNamed, type BucketPlace, statusOf } from "./bucket-place.ts";
import { DamagedBytesError } from "./check-bytes.ts";
import { folderSide } from "./folder-side.ts";
import { keepPace, type Pace } from "./keep-pace.ts";
import type { CatalogEntry } from "./object-entry.ts";
import { LostCopyError, type ObjectSide } from "./object-side.ts";
import { type CopyPlace, withCopy, withSource } from "./open-places.ts";
import { pickObjects, sampleObjects } from "./pick-objects.ts";
import { openObject } from "./read-object.ts";
import { runInOrder } from "./run-in-order.ts";
import { readSetCatalog } from "./set-catalog.ts";
import type { ServicePlace } from "../../reach/service-place.ts";
import type { S3Config } from "./settings.ts";

/** So many objects, and so many bytes at most, but for the first. */
const SAMPLE = 50;
const SAMPLE_BYTES = 256 * 1024 ** 2;

/**
 * Given a set, fetch a sample of its objects back from the copy into a folder of this machine, read each again there, and compare it with what was
 * remembered when it was copied; where no hash of it is known, with the source, if that has it still.
 */
export function drillCopy(
  set: SetReader,
  place: ServicePlace<S3Config>,
  options: DriverOptions,
): Promise<DrillFindings> {
  const { signal } = options;
  const pace = keepPace(signal);
  const way = { signal, pace, action: "s3:GetObject" };
  return withSource(place, way, (source) =>
    withCopy(place, options, way, (copy) => fetchSample(set, source, copy, { pace, ...options })),
  );
}

async function fetchSample(
  set: SetReader,
  source: BucketPlace,
  { side }: CopyPlace,
  { pace, ...options }: DriverOptions & { pace: Pace },
): Promise<DrillFindings> {
  const catalog = await readSetCatalog(set, side, options.jobFolder);
  const sample = limitBytes(await sampleObjects(pickObjects(catalog, undefined), SAMPLE));
  const scratch = folderSide(join(options.folder, "objects"), { keepsReplaced: false });
  const differences: DrillFindings["differences"] = [];
  const fetchBack = async (entry: CatalogEntry): Promise<void> => {
    const expected: Fact = { object: entry.key, checksum: `sha256:${entry.copy.sha256 ?? "?"}` };
    const found = await fetchOne(entry, { from: side, to: scratch, source, pace });
    if ("problem" in found)
      differences.push({ expected, found: { object: entry.key, checksum: found.problem } });
  };
  let done = 0;
  for await (const some of runInOrder(onePage(sample), fetchBack))
    options.update(`${(done += some.length)} of ${sample.length} objects fetched back`);
  return {
    scratch: `a folder of its own, ${sample.length} of ${set.facts[0]?.rows ?? "?"} objects fetched back from ${side.place}`,
    facts: sample.length,
    rows: sample.length,
    differences,
  };
}

function limitBytes(sample: readonly CatalogEntry[]): CatalogEntry[] {
  // What is too large is left out, and not what comes behind it; where all are, one proves more than none.
  let bytes = 0;
  const fitting = sample.filter(({ size }) => {
    if (bytes + size > SAMPLE_BYTES) return false;
    bytes += size;
    return true;
  });
  if (fitting.length > 0) return fitting;
  return sample.toSorted((one, other) => one.size - other.size).slice(0, 1);
}

interface Between {
  from: ObjectSide;
  to: ObjectSide;
  source: BucketPlace;
  pace: Pace;
}

async function fetchOne(
  entry: CatalogEntry,
  { from, to, source, pace }: Between,
): Promise<{ problem: string } | { sha256: string }> {
  const { key } = entry;
  try {
    return await pace.run(async (signal) => {
      const { content, isHashed } = await from.open(entry);
      const { sha256 = "" } = await to.write(key, content);
      // From the disk, as a restore would leave it.
      const again = await to.open({ ...entry, copy: { sha256 } });
      for await (const _ of again.content.bytes) continue;
      const expected = isHashed ? sha256 : await hashSource(source, entry, signal);
      return expected === undefined || expected === sha256
        ? { sha256 }
        : { problem: "its bytes are not those of the source" };
    });
  } catch (error) {
    if (error instanceof LostCopyError || error instanceof DamagedBytesError)
      return { problem: describeError(error) };
    throw error;
  }
}

/** Of the object at the source, if it is still the same; undefined: it is not. */
async function hashSource(
  source: BucketPlace,
  { key, etag }: CatalogEntry,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const hash = createHash("sha256");
    const { bytes } = await openObject(source, { key, etag }, signal);
    for await (const chunk of bytes) hash.update(chunk);
    return hash.digest("hex");
  } catch (error) {
    if (isNamed(error, "NoSuchKey") || statusOf(error) === 412) return undefined;
    throw error;
  }
}

async function* onePage<T>(items: readonly T[]): AsyncGenerator<readonly T[]> {
  yield items;
}
