import * as z from "zod/mini";
import type { BackupJobConfig } from "../../config/backup-schema.ts";
import {
  bucketFields,
  count,
  name,
  orAbsent,
  storagePlaces,
  text,
} from "../../config/schema-fields.ts";

export const settings = z.strictObject({
  kind: z.literal("s3"),
  environment: orAbsent(name, "Environment whose profile opens it"),
  ...bucketFields,
  title: orAbsent(text, "Its name in the menu"),
});
export type S3Config = z.output<typeof settings>;

const SHARE = "a share in percent is expected";
const DAYS = "a number of days is expected";
export const jobSettings = orAbsent(
  z.strictObject({
    to: z
      .union(storagePlaces, 'a copy goes to {"bucket": …} or {"folder": …}')
      .check(z.describe("Where its objects are copied to")),
    remove: orAbsent(
      z.strictObject({
        atMost: count("a number of objects is expected").check(
          z.describe("So many objects a run; where more are gone, none is removed"),
        ),
      }),
      "Whether what two runs in a row have not found at the source is removed from the copy; absent: nothing ever is",
    ),
    shrinkPercent: orAbsent(
      z.int(SHARE).check(z.gte(1, SHARE), z.lte(99, SHARE)),
      "Past this share of the objects gone since the last run, nothing is done; 30 when absent",
    ),
    auditDays: orAbsent(
      z.int(DAYS).check(z.gte(0, DAYS), z.lte(10_000, DAYS)),
      "After so many days a run looks through the copy itself, and not through the catalog alone; 7 when absent, 0: each time",
    ),
  }),
  "How a bucket is copied",
);
export type S3Job = BackupJobConfig & { s3?: z.output<typeof jobSettings> };
export type CopyConfig = NonNullable<S3Job["s3"]>["to"];
