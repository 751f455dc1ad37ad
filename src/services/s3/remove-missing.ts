import type { DumpOptions } from "../backup-driver.ts";
import { describeError } from "../../system/errors.ts";
import type { BucketPlace } from "./bucket-place.ts";
import type { CopySums } from "./copy-pairs.ts";
import type { Pace } from "./keep-pace.ts";
import type { ObjectSide } from "./object-side.ts";
import { lookUpObject } from "./read-object.ts";

interface RemoveOptions extends Pick<DumpOptions, "journal" | "signal" | "update"> {
  source: BucketPlace;
  side: ObjectSide;
  pace: Pace;
}

/**
 * Given what two complete listings in a row have not found at the source, take it out of the copy, where older sets still find it, and return the
 * keys. Nothing is removed by a run that could not copy everything, nor what the source has after all when it is asked for it by name.
 */
export async function removeMissing(
  { candidates, skippedCount }: CopySums,
  { source, side, pace, journal, signal, update }: RemoveOptions,
): Promise<ReadonlySet<string>> {
  const removed = new Set<string>();
  if (candidates.length === 0 || skippedCount > 0) return removed;
  const keys = candidates.map(({ key }) => key);
  const record = await journal({
    change: `remove from ${side.place} what ${source.place} has no more: ${keys.map((key) => JSON.stringify(key)).join(", ")}`,
  });
  try {
    for (const entry of candidates) {
      signal.throwIfAborted();
      if (await lookUpObject(source, entry.key, pace)) continue;
      await side.remove(entry);
      removed.add(entry.key);
      update(`${removed.size} of ${keys.length} objects removed`);
    }
    await side.settle();
  } catch (error) {
    await record.end({ state: "failed", detail: describeError(error) });
    throw source.explain(error, "s3:DeleteObject");
  }
  await record.end({ state: "done" });
  return removed;
}
