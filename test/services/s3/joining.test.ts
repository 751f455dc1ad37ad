import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CutShortError,
  checkBytes,
  DamagedBytesError,
} from "../../../src/services/s3/check-bytes.ts";
import { joinListings } from "../../../src/services/s3/join-listings.ts";
import { judgeListing } from "../../../src/services/s3/judge-listing.ts";
import type { CatalogEntry, ListedObject } from "../../../src/services/s3/object-entry.ts";
import { orderKeys } from "../../../src/services/s3/order-keys.ts";
import { runInOrder } from "../../../src/services/s3/run-in-order.ts";

const listed = (key: string): ListedObject => ({ key, size: 1, etag: "e", modified: "t" });
const entry = (key: string): CatalogEntry => ({ ...listed(key), copy: {} });

async function* inPages<T>(items: readonly T[], size: number): AsyncGenerator<T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}

async function collect<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const page of pages) all.push(...page);
  return all;
}

test("a listing and a catalog are joined as two maps would be, whatever their pages", async () => {
  const keys = fc
    .uniqueArray(fc.constantFrom(...Array.from("abcdefghijklmnop"), "🎒", "～"), { maxLength: 18 })
    .map((all) => all.toSorted(orderKeys));
  await fc.assert(
    fc.asyncProperty(
      keys,
      keys,
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      async (one, other, a, b) => {
        const pairs = await collect(
          joinListings(inPages(one.map(listed), a), inPages(other.map(entry), b)),
        );
        const expected = [...new Set([...one, ...other])].toSorted(orderKeys);
        expect(pairs.map((pair) => [pair.listed?.key, pair.known?.key])).toEqual(
          expected.map((key) => [
            one.includes(key) ? key : undefined,
            other.includes(key) ? key : undefined,
          ]),
        );
      },
    ),
  );
});

describe("work that is done at once", () => {
  test("comes out in the order in which it went in", async () => {
    const items = Array.from({ length: 3_000 }, (_, index) => index);
    const found = await collect(
      runInOrder(inPages(items, 100), (item) =>
        item % 3 === 0
          ? item
          : new Promise<number>((resolve) => setTimeout(() => resolve(item), item % 7)),
      ),
    );
    expect(found).toEqual(items);
  });

  test("ends at the first failure, and nothing is under way any more then", async () => {
    let running = 0;
    let begun = 0;
    const work = async (item: number): Promise<number> => {
      running++;
      begun++;
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
      if (item === 100) throw new Error("the hundredth");
      return item;
    };
    const items = Array.from({ length: 100_000 }, (_, index) => index);
    await expect(collect(runInOrder(inPages(items, 100), work))).rejects.toThrow("the hundredth");
    expect(running).toBe(0);
    expect(begun).toBeLessThan(5_000);
  });
});

describe("bytes", () => {
  const bytes = Buffer.from("0123456789");
  const check = (more: object, given: Buffer = bytes): Promise<unknown> =>
    collect(
      (async function* () {
        for await (const chunk of checkBytes(inChunks(given), { size: 10, ...more })) yield [chunk];
      })(),
    );
  async function* inChunks(given: Buffer): AsyncGenerator<Buffer> {
    for (let from = 0; from < given.length; from += 3) yield given.subarray(from, from + 3);
  }

  test("are compared with all that is known of them", async () => {
    await check({ md5: "781e5e245d69b566979b86e28d23f2c7" });
    await expect(check({ md5: "0".repeat(32) })).rejects.toThrow(DamagedBytesError);
    await expect(check({ sha256: "0".repeat(64) })).rejects.toThrow(DamagedBytesError);
    await expect(check({}, bytes.subarray(0, 9))).rejects.toThrow(CutShortError);
    await expect(check({}, Buffer.concat([bytes, bytes]))).rejects.toThrow(DamagedBytesError);
  });

  test("of several pieces too: the MD5 of the MD5s", async () => {
    // printf 0123 | md5sum, 4567, 89; then the MD5 of the three together.
    const { createHash } = await import("node:crypto");
    const md5 = (of: Buffer | string): Buffer => createHash("md5").update(of).digest();
    const whole = md5(Buffer.concat([md5("0123"), md5("4567"), md5("89")])).toString("hex");
    await check({ pieces: { etag: `${whole}-3`, bytes: 4 } });
    await expect(check({ pieces: { etag: `${whole}-3`, bytes: 5 } })).rejects.toThrow(
      DamagedBytesError,
    );
  });
});

test.each([
  [0, undefined, undefined, /is empty/],
  [0, 10, undefined, /is empty/],
  [69, 100, undefined, /31 % fewer/],
  [70, 100, undefined, undefined],
  [1, undefined, undefined, undefined],
  [49, 100, 50, /51 % fewer/],
  [50, 100, 50, undefined],
])(
  "a listing of %s objects after one of %s, at most %s %% fewer: %s",
  (count, known, percent, said) => {
    const judge = (): void =>
      judgeListing({ place: "s3://live", listed: count, known, shrinkPercent: percent });
    if (said) expect(judge).toThrow(said);
    else judge();
  },
);
