import path from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { mapKey } from "../../../src/services/s3/map-key.ts";
import { orderKeys } from "../../../src/services/s3/order-keys.ts";

const level = fc.oneof(
  fc.constantFrom("", ".", "..", "a", "a.b", "%", "a%", "a%.b", "%_", "-", "A", "学", "\n", "~"),
  fc.string({ maxLength: 4 }),
  fc.string({ minLength: 190, maxLength: 300 }),
);
const key = fc.array(level, { minLength: 1, maxLength: 5 }).map((levels) => levels.join("/"));

/** Where a file would stand: its own path, and that of each folder above it. */
const standing = (mapped: string): [string, "file" | "folder"][] =>
  mapped
    .split("/")
    .map((_, index, levels) => [
      levels.slice(0, index + 1).join("/"),
      index === levels.length - 1 ? "file" : "folder",
    ]);

test("any two keys have two files, and neither is a folder of the other", () => {
  fc.assert(
    fc.property(fc.array(key, { minLength: 2, maxLength: 12 }), (keys) => {
      const kinds = new Map<string, "file" | "folder">();
      const files = new Map<string, string>();
      for (const one of keys) {
        const mapped = mapKey(one);
        expect(files.get(mapped) ?? one).toBe(one);
        files.set(mapped, one);
        for (const [at, kind] of standing(mapped)) {
          expect(kinds.get(at) ?? kind).toBe(kind);
          kinds.set(at, kind);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test("no key leads out of its folder, and no name is too long for a disk", () => {
  fc.assert(
    fc.property(key, (one) => {
      const mapped = mapKey(one);
      expect(path.normalize(path.join("/root/of/all", mapped))).toBe(`/root/of/all/${mapped}`);
      for (const name of mapped.split("/")) expect(name).toMatch(/^[A-Za-z0-9%_~.-]{1,200}$/);
    }),
  );
});

test.each([
  ["photos/2014/a.jpg", "photos/2014/a.jpg"],
  ["a", "a%"],
  ["a/b", "a/b%"],
  ["v1.2/x.txt", "v1.2%/x.txt"],
  ["folder/", "folder/%_%"],
  ["//", "%_/%_/%_%"],
  ["../../etc/passwd", "%2E.%/%2E.%/etc/passwd%"],
])("%s is %s", (one, mapped) => expect(mapKey(one)).toBe(mapped));

test("the longest keys there are fit into a path", () => {
  for (const one of ["/".repeat(1024), "./".repeat(512), "ü".repeat(512), "a/".repeat(512)])
    expect(Buffer.byteLength(mapKey(one))).toBeLessThan(3_500);
});

test("keys are in the order of their bytes, which is not that of their characters", () => {
  expect(orderKeys("～", "🎒")).toBeLessThan(0);
  expect(["～", "🎒"].toSorted()).toEqual(["🎒", "～"]);
  fc.assert(
    fc.property(fc.string(), fc.string(), (one, other) => {
      const hex = (text: string): string => Buffer.from(text).toString("hex");
      expect(Math.sign(orderKeys(one, other))).toBe(
        hex(one) === hex(other) ? 0 : hex(one) < hex(other) ? -1 : 1,
      );
    }),
  );
});
