import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { keepPace } from "../../../src/services/s3/keep-pace.ts";
import type { ListedObject } from "../../../src/services/s3/object-entry.ts";
import { spoolListing } from "../../../src/services/s3/spool-listing.ts";
import { startScriptedS3 } from "../../lab/scripted-s3.ts";

test("a listing that the disk has lost is an error, and no bucket without objects", async () => {
  const s3 = await startScriptedS3();
  const folder = await mkdtemp(join(tmpdir(), "lcops-spool-"));
  const client = new S3Client({
    region: "us-west-2",
    endpoint: s3.url,
    forcePathStyle: true,
    credentials: { accessKeyId: "AKIALCOPSLABDEV00000", secretAccessKey: "opens-nothing" },
  });
  try {
    for (const key of ["a", "b", "c", "d", "e", "f"]) s3.objects.set(key, Buffer.from(key));
    const place = {
      bucket: "essays",
      prefix: "",
      client,
      scope: { region: "us-west-2" },
      endpoint: s3.url,
      place: "s3://essays/",
      explain: (error: unknown) => error,
    };
    const path = join(folder, "listing");
    const pace = keepPace(AbortSignal.timeout(60_000));
    const listing = await spoolListing(place, pace, { path, splits: [] });
    const read = async (): Promise<string[]> => {
      const objects: ListedObject[] = [];
      for await (const some of listing.read()) objects.push(...some);
      return objects.map(({ key }) => key);
    };

    expect(listing.objects).toBe(6);
    expect(await read()).toEqual(["a", "b", "c", "d", "e", "f"]);
    await rm(`${path}.0`);
    await expect(read()).rejects.toThrow(
      /listing has 0 of the 6 objects that s3:\/\/essays\/ has$/,
    );
  } finally {
    client.destroy();
    await s3.close();
    await rm(folder, { recursive: true, force: true });
  }
});
