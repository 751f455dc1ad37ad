import type { BucketPlace } from "./bucket-place.ts";
import type { Pace } from "./keep-pace.ts";
import { lookUpObject } from "./read-object.ts";

/**
 * Given the bucket of a copy, that of its source, and when a run of the job was killed, give up the uploads which that run has left unfinished: those
 * begun meanwhile of keys that the source has. Others may upload to the same bucket, and theirs are left alone.
 */
export async function sweepUploads(
  place: BucketPlace,
  source: BucketPlace,
  pace: Pace,
  { from, until }: { from: Date; until: Date },
): Promise<void> {
  const s3 = await import("@aws-sdk/client-s3");
  const { bucket: Bucket, prefix: Prefix, client } = place;
  const page = await pace
    .run((abortSignal) =>
      client.send(new s3.ListMultipartUploadsCommand({ Bucket, Prefix }), { abortSignal }),
    )
    .catch((error: unknown) => {
      throw place.explain(error, "s3:ListBucketMultipartUploads");
    });
  // To the second, as the answer has it; a run has no more uploads than it has pieces of work, and one page holds 1,000.
  const begin = Math.floor(from.getTime() / 1000) * 1000;
  for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
    const at = Initiated?.getTime() ?? 0;
    if (Key === undefined || at < begin || at > until.getTime()) continue;
    if (!(await lookUpObject(source, Key.slice(Prefix.length), pace))) continue;
    const command = new s3.AbortMultipartUploadCommand({ Bucket, Key, UploadId });
    await pace.run((abortSignal) => client.send(command, { abortSignal }));
  }
}
