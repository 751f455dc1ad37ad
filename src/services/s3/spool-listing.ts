import { OperatorError } from "../../system/errors.ts";
import { countOf } from "../../system/quantities.ts";
import type { BucketPlace } from "./bucket-place.ts";
import type { Pace } from "./keep-pace.ts";
import { readLines, writeLines } from "./line-file.ts";
import { listBucket } from "./list-bucket.ts";
import type { ListedObject } from "./object-entry.ts";

/** A listing that is whole, on the disk: nothing is done by one that is not. */
export interface Listing {
  objects: number;
  bytes: number;
  /** In the order of the keys. Throws `failed` at its end where the disk has not kept all of it. */
  read(): AsyncGenerator<ListedObject[]>;
}

/** Ranges that are listed at the same time. */
const RANGES = 4;

/**
 * Given a bucket and what its files are to begin with, list the bucket into them, several ranges at once where `splits` says at which keys there is about as much before as behind.
 * Throws what a listing throws: then there is none.
 */
export async function spoolListing(
  place: BucketPlace,
  pace: Pace,
  {
    path,
    splits,
    seen,
  }: { path: string; splits: readonly string[]; seen?: (more: number) => void },
): Promise<Listing> {
  const borders = Array.from({ length: RANGES - 1 }, (_, index) =>
    splits.at(Math.floor(((index + 1) * splits.length) / RANGES)),
  );
  const keys = [...new Set(borders.filter((key) => key !== undefined))];
  const sums = { objects: 0, bytes: 0 };
  const paths = [...keys.keys(), keys.length].map((index) => `${path}.${index}`);
  const listRange = async (file: string, index: number): Promise<void> => {
    const [after, until] = [keys[index - 1], keys[index]];
    const writer = await writeLines(file);
    try {
      const range = {
        ...(after !== undefined && { after }),
        ...(until !== undefined && { until }),
      };
      for await (const objects of listBucket(place, pace, range)) {
        for (const object of objects) {
          sums.bytes += object.size;
          await writer.write(JSON.stringify(object));
        }
        sums.objects += objects.length;
        seen?.(objects.length);
      }
    } finally {
      await writer.close();
    }
  };
  const ended = await Promise.allSettled(paths.map(listRange));
  const failed = ended.find((one) => one.status === "rejected");
  if (failed) throw failed.reason;
  return {
    ...sums,
    read: async function* () {
      let read = 0;
      for (const file of paths)
        for await (const lines of readLines(file)) {
          read += lines.length;
          yield lines.map((line) => JSON.parse(line) as ListedObject);
        }
      // Objects that are not read would be taken for gone.
      if (read === sums.objects) return;
      throw new OperatorError(
        "failed",
        `${path} has ${read} of the ${countOf(sums.objects, "object")} that ${place.place} has`,
        { next: "run it again" },
      );
    },
  };
}
