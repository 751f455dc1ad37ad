import fc from "fast-check";
import { expect, test } from "vitest";
import { scanListing } from "../../../src/services/s3/scan-listing.ts";

const escape = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\n", "&#10;")
    .replaceAll("\r", "&#xD;");

test("finds what was written, whatever the keys are, and leaves the rest", () => {
  const object = fc.record({
    key: fc.string({ maxLength: 40, unit: "grapheme" }),
    size: fc.nat(),
    etag: fc.stringMatching(/^[0-9a-f]{32}(-\d{1,4})?$/),
    storageClass: fc.option(fc.constantFrom("GLACIER", "STANDARD_IA"), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(object, { maxLength: 5 }), fc.boolean(), (objects, isPretty) => {
      const gap = isPretty ? "\n  " : "";
      const contents = objects.map(
        ({ key, size, etag, storageClass }) =>
          `<Contents>${gap}<Key>${escape(key)}</Key>${gap}<LastModified>2026-01-31T02:15:00.123Z</LastModified>${gap}<ETag>&quot;${etag}&quot;</ETag><Size>${size}</Size><Owner><ID>x</ID></Owner>${gap}<StorageClass>${storageClass ?? "STANDARD"}</StorageClass></Contents>`,
      );
      const xml = `<ListBucketResult><Name>b</Name>${contents.join(gap)}<IsTruncated>false</IsTruncated></ListBucketResult>`;
      const found = scanListing(xml);
      expect(found.objects).toEqual(
        objects.map(({ key, size, etag, storageClass }) => ({
          key,
          size,
          etag,
          modified: "2026-01-31T02:15:00Z",
          ...(storageClass && { storageClass }),
        })),
      );
      expect(found.rest.replaceAll(/\s/g, "")).toBe(
        "<ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated></ListBucketResult>",
      );
    }),
  );
});
