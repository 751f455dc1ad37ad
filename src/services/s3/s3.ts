import type { ServiceType } from "../service.ts";

/** Buckets of S3, which are reached through AWS and by no port. */
export const s3: ServiceType = {
  scheme: "http",
  isAskedWhileIdle: true,
  probe: () => Promise.resolve({ answers: false, detail: "a bucket has no port" }),
  answers: async (place, signal) => {
    const { withSource } = await import("./open-places.ts");
    const { HeadBucketCommand } = await import("@aws-sdk/client-s3");
    return withSource(place, { signal, action: "s3:ListBucket" }, async ({ bucket, client }) => {
      await client.send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal: signal });
      return true;
    });
  },
  backup: async () => (await import("./backup.ts")).s3Backup,
};
