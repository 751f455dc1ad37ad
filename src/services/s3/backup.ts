import type { Readable } from "node:stream";
import type { BackupDriver } from "../backup-driver.ts";
import type { PartRecord } from "../set-content.ts";
import { describeError } from "../../system/errors.ts";
import { parseCatalog } from "./catalog.ts";
import { drillCopy } from "./drill.ts";
import { dumpBucket } from "./dump.ts";
import { keepPace } from "./keep-pace.ts";
import { listBucket } from "./list-bucket.ts";
import { bucketOf, withSource } from "./open-places.ts";
import { planObjectRestore, restoreObjects } from "./restore.ts";
import { verifyCopy } from "./verify.ts";
import type { ServicePlace } from "../../reach/service-place.ts";
import type { S3Config } from "./settings.ts";

/** A bucket, copied object by object to another or to a disk; what a set holds is the catalog of what was in the copy then. */
export const s3Backup: BackupDriver<S3Config> = {
  plan: (place) => Promise.resolve({ objects: [{ name: nameOf(place) }] }),
  dump: (place, _plan, sink, options) => dumpBucket(place, sink, options),
  checkPart,
  planRestore: planObjectRestore,
  restore: restoreObjects,
  // A drill fetches a sample back: nobody has room for a second bucket.
  openScratch: () => Promise.resolve({ needs: "nothing: it fetches objects back" }),
  drill: drillCopy,
  measure: (set, target, { signal }) =>
    withSource(bucketOf(target), { signal, action: "s3:ListBucket" }, async (source) => {
      let rows = 0;
      for await (const objects of listBucket(source, keepPace(signal))) rows += objects.length;
      return set.facts.map(({ object }) => ({ object, rows }));
    }),
  verifyElsewhere: verifyCopy,
  describeRestore: (set, decode) => [
    "The objects are in the copy of the bucket, under their own keys where it is a bucket; on a disk under",
    "objects/, as the catalog says them, with % and two digits for what a name cannot have. This set says which",
    "objects were there then, one a line: key, size, etag, and the version of the copy where it keeps some.",
    "",
    ...set.parts.map((part) => decode(part)),
    "",
    "One of them, from a bucket:",
    "aws s3api get-object --bucket COPY --key KEY --version-id VERSION FILE",
  ],
};

/** As the operator knows it, and as nothing has to be asked. */
function nameOf({ config: { bucket, prefix = "" } }: ServicePlace<S3Config>): string {
  return `s3://${bucket}/${prefix}`;
}

async function checkPart(_part: PartRecord, content: Readable): Promise<string | undefined> {
  try {
    const catalog = await parseCatalog(content as AsyncIterable<Buffer>);
    for await (const _ of catalog.entries) continue;
    return catalog.head && catalog.end() ? undefined : "the catalog is cut off";
  } catch (error) {
    return describeError(error);
  }
}
