/** Copies of buckets, on the lab's S3: a real server where it was fetched. */
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import {
  keepVersions,
  listFiles,
  makeObjectGround,
  type ObjectGround,
} from "../support/object-ground.ts";

const QUIET = { code: 0, signal: null, stdout: "", stderr: "" };
const { s3, aws } = inject("lab");

let ground: ObjectGround;
beforeEach(async () => {
  if (s3) ground = await makeObjectGround({ ...s3, stsUrl: aws?.endpointUrl ?? s3.url });
});
afterEach(() => ground?.remove());

const lcops: ObjectGround["lcops"] = (...words) => ground.lcops(...words);
const withS3 = test.skipIf(!s3);

async function fill(): Promise<void> {
  await ground.put("a.txt", "one", { ContentType: "text/plain", Metadata: { speaker: "s-1" } });
  await ground.put("clips/b.mp3", "two", { Tagging: "class=B1" });
  await ground.put("clips/ü +&%.mp3", "three");
  await ground.put("学生/🎒", "four");
}

withS3("copies a bucket, then nothing, then what has changed", async () => {
  await fill();
  await keepVersions(ground.client, ground.copy);
  expect(await lcops("backup", "run")).toEqual(QUIET);
  expect(await ground.read(ground.copy)).toEqual({
    "copy/a.txt": "one",
    "copy/clips/b.mp3": "two",
    "copy/clips/ü +&%.mp3": "three",
    "copy/学生/🎒": "four",
  });
  expect(ground.catalog().map(({ key, size }) => [key, size])).toEqual([
    ["a.txt", 3],
    ["clips/b.mp3", 3],
    ["clips/ü +&%.mp3", 5],
    ["学生/🎒", 4],
  ]);
  for (const level of ["sizes", "hashes", "decode"])
    expect(await lcops("backup", "verify", "--level", level)).toEqual(QUIET);
  expect(await lcops("backup", "drill")).toEqual(QUIET);
  expect(await lcops("backup", "run")).toEqual(QUIET);
}, 90_000);
