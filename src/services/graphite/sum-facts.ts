import { createHash } from "node:crypto";
import type { Fact } from "../set-content.ts";
import { objectOf } from "./list-files.ts";
import type { PackedFile } from "./watch-pack.ts";

/**
 * Given files, return one fact for each of their objects: how many points they have, and a checksum of all their names and bytes that does not
 * depend on their order. Pure.
 */
export function sumFacts(files: Iterable<Pick<PackedFile, "path" | "sha256" | "points">>): Fact[] {
  const sums = new Map<string, { rows: number; sum: Buffer; files: number }>();
  for (const { path, sha256, points } of files) {
    const object = objectOf(path);
    const at = sums.get(object) ?? { rows: 0, sum: Buffer.alloc(32), files: 0 };
    sums.set(object, at);
    at.rows += points;
    at.files += 1;
    const hash = createHash("sha256").update(`${path}\0${sha256}`).digest();
    for (let index = 0; index < hash.length; index++)
      at.sum[index] = (at.sum[index] ?? 0) ^ (hash[index] ?? 0);
  }
  return [...sums]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([object, { rows, sum, files: count }]) => ({
      object,
      rows,
      checksum: `sha256-xor of ${count} files:${sum.toString("hex")}`,
    }));
}
