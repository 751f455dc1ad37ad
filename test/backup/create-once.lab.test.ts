/** What commits a set is put where nothing is: a folder, a bucket of the lab's server and of moto, and servers that know no condition. */
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { afterEach, describe, expect, test } from "vitest";
import { openBucketStore } from "../../src/backup/bucket-store.ts";
import { openFolderStore } from "../../src/backup/folder-store.ts";
import { readText, type Store, TakenError } from "../../src/backup/store.ts";
import { refuse, RESET, startScriptedS3 } from "../lab/scripted-s3.ts";
import { useLab } from "../support/lab.ts";

const KEY = "manifests/job/one.json";
const bytes = (text: string): Buffer => Buffer.from(text);
const cleanUps: (() => unknown)[] = [];
let buckets = 0;
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function makeFolder(): Promise<Store> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), "lcops-create-"));
  cleanUps.push(() => fs.rm(folder, { recursive: true }));
  return openFolderStore("server", folder);
}

async function makeBucket(
  endpoint: string,
  credentials = { accessKeyId: "AKIALCOPSLABDEV00000", secretAccessKey: "opens-nothing" },
  region = "us-west-2",
): Promise<Store> {
  const client = new S3Client({ region, endpoint, forcePathStyle: true, credentials });
  const bucket = `lcops-create-${process.pid}-${++buckets}`;
  await client.send(new CreateBucketCommand({ Bucket: bucket })).catch(() => undefined);
  const signal = AbortSignal.timeout(60_000);
  const store = openBucketStore({ name: "server", bucket, client, signal, explain: (it) => it });
  cleanUps.push(() => store.close());
  return store;
}

async function makeScripted(): Promise<Awaited<ReturnType<typeof startScriptedS3>>> {
  const s3 = await startScriptedS3();
  cleanUps.push(() => s3.close());
  return s3;
}

const { aws, s3: server } = await useLab("aws", "s3");
const PLACES: Record<string, (() => Promise<Store>) | undefined> = {
  "a folder": makeFolder,
  "a bucket of moto":
    aws?.state === "emulator" ? () => makeBucket(aws.endpointUrl ?? "") : undefined,
  "a bucket of the lab's server": server
    ? () => makeBucket(server.url, server.account, server.region)
    : undefined,
};

describe.each(Object.entries(PLACES))("%s", (_name, make) => {
  test.skipIf(!make)("takes a name once, and the same again", async () => {
    const store = (await make?.()) as Store;
    await store.create(KEY, bytes("first"));
    await store.create(KEY, bytes("first"));
    await expect(store.create(KEY, bytes("second"))).rejects.toThrow(TakenError);
    expect(await readText(store, KEY)).toBe("first");
    const keys: string[] = [];
    for await (const { key } of store.list("")) keys.push(key);
    expect(keys).toEqual([KEY]);
  });
});

// Of a bucket this is the server's promise; emulators look first and put then.
test("of many writers at once one has it", async () => {
  const store = await makeFolder();
  const texts = Array.from({ length: 12 }, (_, index) => `writer ${index}`);
  const done = await Promise.allSettled(texts.map((text) => store.create(KEY, bytes(text))));
  const winners = texts.filter((_, index) => done[index]?.status === "fulfilled");
  expect(winners).toEqual([await readText(store, KEY)]);
  for (const one of done)
    if (one.status === "rejected") expect(one.reason).toBeInstanceOf(TakenError);
});

test("an answer that was lost is no other writer's", async () => {
  const s3 = await makeScripted();
  s3.script(({ operation, key, index, forward }) => {
    const reply = forward();
    return operation === "PutObject" && key === KEY && index === 1 ? RESET : reply;
  });
  const store = await makeBucket(s3.url);
  await store.create(KEY, bytes("ours"));
  expect(s3.calls.filter(({ key }) => key === KEY).map(({ operation }) => operation)).toEqual([
    "PutObject",
    "PutObject",
    "GetObject",
  ]);
});

test("who may not read what is there takes it for another's", async () => {
  const s3 = await makeScripted();
  const store = await makeBucket(s3.url);
  await store.create(KEY, bytes("first"));
  s3.script(({ operation, forward }) =>
    operation === "GetObject" ? refuse(403, "AccessDenied") : forward(),
  );
  await expect(store.create(KEY, bytes("second"))).rejects.toThrow(TakenError);
});

test("a conflict that S3 cannot settle yet is asked again", async () => {
  const s3 = await makeScripted();
  let asked = 0;
  s3.script(({ operation, key, forward }) =>
    operation === "PutObject" && key === KEY && ++asked < 3
      ? refuse(409, "ConditionalRequestConflict")
      : forward(),
  );
  await (await makeBucket(s3.url)).create(KEY, bytes("ours"));
  expect(asked).toBe(3);
  expect(s3.objects.get(KEY)?.toString()).toBe("ours");
});

test("a server that knows no condition is looked at before", async () => {
  const s3 = await makeScripted();
  s3.script(({ operation, key, forward }) =>
    operation === "PutObject" &&
    key === KEY &&
    s3.calls.at(-1)?.headers["if-none-match"] !== undefined
      ? refuse(501, "NotImplemented")
      : forward(),
  );
  const store = await makeBucket(s3.url);
  await store.create(KEY, bytes("first"));
  await expect(store.create(KEY, bytes("second"))).rejects.toThrow(TakenError);
  expect(s3.objects.get(KEY)?.toString()).toBe("first");
});
