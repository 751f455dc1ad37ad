/** Copies of buckets, on the lab's S3: a real server where it was fetched. What it cannot be made to do, a door before it does. */
import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import {
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type S3Proxy, startS3Proxy } from "../lab/s3-proxy.ts";
import { listFiles, makeObjectGround, type ObjectGround } from "../support/object-ground.ts";
import { startLcops } from "../support/run-lcops.ts";
import { useLab } from "../support/lab.ts";

const QUIET = { code: 0, signal: null, stdout: "", stderr: "" };
const { s3 } = await useLab("s3");
const withS3 = test.skipIf(!s3);

let ground: ObjectGround;
let door: S3Proxy;
beforeEach(async () => {
  if (!s3) return;
  door = await startS3Proxy(s3.url);
  ground = await makeObjectGround(s3, door.url);
});
afterEach(async () => {
  ground?.remove();
  await door?.close();
});

const lcops: ObjectGround["lcops"] = (...words) => ground.lcops(...words);
const run = (): ReturnType<typeof lcops> => lcops("backup", "run");
const inCopy = async (): Promise<Record<string, string>> => {
  const all = Object.entries(await ground.read(ground.copy));
  return Object.fromEntries(
    all.flatMap(([key, body]) => (key.startsWith("copy/") ? [[key.slice(5), body]] : [])),
  );
};

const OBJECTS = {
  "a.txt": "one",
  "clips/b.mp3": "two",
  "clips/ü +&%.mp3": "three",
  "学生/🎒": "four",
};

async function fill(): Promise<void> {
  await ground.put("a.txt", "one", {
    ContentType: "text/plain",
    CacheControl: "max-age=60",
    Metadata: { speaker: "s-1" },
  });
  await ground.put("clips/b.mp3", "two", { Tagging: "class=B1" });
  await ground.put("clips/ü +&%.mp3", "three");
  await ground.put("学生/🎒", "four");
}

const remove = async (key: string): Promise<void> => {
  await ground.client.send(new DeleteObjectCommand({ Bucket: ground.source, Key: key }));
};

/** The catalog says just what is in the copy, and the copy has just what the source has. */
async function expectExact(): Promise<void> {
  const [source, copy] = [await ground.read(ground.source), await inCopy()];
  expect(copy).toEqual(source);
  const lines = ground.catalog().map(({ key, size }) => [key, size]);
  const keys = Object.keys(source).toSorted((one, other) =>
    Buffer.compare(Buffer.from(one), Buffer.from(other)),
  );
  expect(lines).toEqual(keys.map((key) => [key, Buffer.from(source[key] ?? "", "latin1").length]));
}

describe("to a bucket", () => {
  withS3(
    "everything at first, then nothing, then what has changed",
    async () => {
      await fill();
      expect(await run()).toEqual(QUIET);
      expect(await inCopy()).toEqual(
        Object.fromEntries(Object.entries(OBJECTS).map(([key, body]) => [key, body])),
      );
      await expectExact();
      expect(door.count("CopyObject")).toBe(4);
      expect(door.count("GetObject")).toBe(0);
      for (const level of ["sizes", "hashes", "decode"])
        expect(await lcops("backup", "verify", "--level", level)).toEqual(QUIET);
      expect(await lcops("backup", "drill")).toEqual(QUIET);

      door.script();
      expect(await run()).toEqual(QUIET);
      expect(door.count("CopyObject")).toBe(0);
      expect(door.count("HeadObject")).toBe(0);
      // Of the source alone: what the copy has is known.
      expect(door.calls.filter((call) => call.operation === "ListObjectsV2")).toMatchObject([
        { bucket: ground.source },
      ]);

      await ground.put("clips/b.mp3", "TWO");
      await ground.put("new/c", "five");
      expect(await run()).toEqual(QUIET);
      expect(door.count("CopyObject")).toBe(2);
      await expectExact();
      expect(await ground.sets()).toHaveLength(3);
      const { stdout } = await lcops("backup", "list");
      expect(stdout).toContain("\t5\tper-object\t");
      expect(await lcops("backup", "status")).toMatchObject({ code: 0 });
    },
    90_000,
  );

  withS3(
    "with headers and tags, copied by S3 or through this machine",
    async () => {
      await fill();
      // What is larger than a request goes in pieces.
      await ground.put("large.bin", randomBytes(17 * 1024 * 1024));
      for (const way of ["CopyObject", "PutObject"] as const) {
        if (way === "PutObject") {
          // Another profile, which may not read the source.
          ground.addProfile("other");
          ground.configure(({ environments }) => {
            if (environments)
              environments["other"] = { aws: { profile: "other", regions: ["us-west-2"] } };
          });
          ground.copyTo({ bucket: ground.copy, prefix: "other", environment: "other" });
          door.script(async (call) =>
            call.operation === "HeadObject" && call.bucket === ground.source
              ? { status: 403, headers: {}, body: Buffer.alloc(0) }
              : call.forward(),
          );
        }
        expect(await run()).toEqual(QUIET);
        expect(door.count(way)).toBe(way === "CopyObject" ? 5 : 4);
        const at = { Bucket: ground.copy, Key: way === "CopyObject" ? "copy/" : "other/" };
        const head = await ground.client.send(
          new HeadObjectCommand({ ...at, Key: `${at.Key}a.txt` }),
        );
        expect(head).toMatchObject({
          ContentType: "text/plain",
          CacheControl: "max-age=60",
          Metadata: { speaker: "s-1" },
        });
        const tags = await ground.client.send(
          new GetObjectTaggingCommand({ ...at, Key: `${at.Key}clips/b.mp3` }),
        );
        expect(tags.TagSet).toEqual([{ Key: "class", Value: "B1" }]);
        for (const level of ["hashes", "decode"])
          expect(await lcops("backup", "verify", "--level", level)).toEqual(QUIET);
        door.script();
      }
      const { "other/large.bin": large, "copy/large.bin": same } = await ground.read(ground.copy);
      expect(large === same && large?.length === 17 * 1024 * 1024).toBe(true);
    },
    90_000,
  );

  withS3(
    "what is gone from there, or another there, is mended when it is looked through",
    async () => {
      await fill();
      expect(await run()).toEqual(QUIET);
      const at = { Bucket: ground.copy, Key: "copy/a.txt" };
      await ground.client.send(new DeleteObjectCommand(at));
      await ground.client.send(
        new PutObjectCommand({ ...at, Key: "copy/clips/b.mp3", Body: "TWO" }),
      );
      const verified = await lcops("backup", "verify");
      expect(verified).toMatchObject({ code: 4 });
      expect(verified.stderr).toMatch(/a\.txt: it is missing/);
      expect(verified.stderr).toMatch(/clips\/b\.mp3: something else is in its place/);
      // The catalog knows nothing of it.
      expect(await run()).toEqual(QUIET);
      expect((await inCopy())["a.txt"]).toBeUndefined();
      ground.copyTo({ bucket: ground.copy, prefix: "copy" }, { auditDays: 0 });
      door.script();
      expect(await run()).toMatchObject({ code: 0 });
      expect(door.count("CopyObject")).toBe(2);
      expect(door.count("HeadObject")).toBe(0);
      await expectExact();
      expect(await lcops("backup", "verify", "--level", "decode")).toEqual(QUIET);
      door.script();
      expect(await run()).toEqual(QUIET);
      expect(door.count("CopyObject")).toBe(0);
      // A listing of the copy that fails half-way says nothing of what is there.
      door.script(async (call) =>
        call.operation === "ListObjectsV2" && call.bucket === ground.copy
          ? { status: 403, headers: {}, body: Buffer.alloc(0) }
          : call.forward(),
      );
      expect(await run()).toMatchObject({ code: 1 });
      expect(door.count("CopyObject")).toBe(0);
      door.script();
      await expectExact();
    },
    90_000,
  );

  withS3(
    "never into a bucket whose objects it does not know, nor into itself",
    async () => {
      await fill();
      const at = { Bucket: ground.copy, Key: "copy/a.txt" };
      await ground.client.send(new PutObjectCommand({ ...at, Body: "somebody's" }));
      const refused = await run();
      expect(refused).toMatchObject({ code: 5, stdout: "" });
      expect(refused.stderr).toMatch(/objects is refused: .*of which lcops knows nothing/);
      expect(await inCopy()).toEqual({ "a.txt": "somebody's" });
      // There it can be had back.
      await ground.keepVersions(ground.copy);
      expect(await run()).toEqual(QUIET);

      ground.copyTo({ bucket: ground.source, prefix: "copy" });
      const checked = await lcops("config", "check");
      expect(checked).toMatchObject({ code: 2 });
      expect(checked.stderr).toContain("would be copied into itself");
    },
    60_000,
  );
});

describe("to a disk", () => {
  beforeEach(() => {
    if (s3) ground.copyTo({ folder: ground.at("disk") });
  });

  withS3(
    "as files, with what a file cannot carry in the catalog",
    async () => {
      await fill();
      expect(await run()).toEqual(QUIET);
      expect(listFiles(ground.at("disk"))).toEqual(
        [
          "objects/a.txt",
          "objects/clips/b.mp3",
          "objects/clips/%C3%BC%20%2B%26%25.mp3",
          "objects/%E5%AD%A6%E7%94%9F/%F0%9F%8E%92%",
        ].toSorted(),
      );
      const [first, second] = ground.catalog();
      expect(first).toMatchObject({
        key: "a.txt",
        headers: { ContentType: "text/plain", Metadata: { speaker: "s-1" } },
      });
      expect(second?.headers?.Tagging).toBe("class=B1");
      expect(statSync(ground.at("disk/objects/a.txt")).mtime.toISOString().slice(0, 19)).toBe(
        first?.modified.slice(0, 19),
      );
      for (const level of ["sizes", "hashes", "decode"])
        expect(await lcops("backup", "verify", "--level", level)).toEqual(QUIET);
      expect(await lcops("backup", "drill")).toEqual(QUIET);
    },
    60_000,
  );

  withS3(
    "what is damaged, gone or another there is found, named and mended",
    async () => {
      await fill();
      expect(await run()).toEqual(QUIET);
      const file = ground.at("disk/objects/clips/b.mp3");
      const { mtime } = statSync(file);
      const { utimesSync } = await import("node:fs");
      for (const [damage, level, said] of [
        ["xxx", "hashes", "clips/b.mp3: its SHA-256 is another one"],
        ["longer", "sizes", "clips/b.mp3: 6 bytes instead of 3"],
        [undefined, "sizes", "clips/b.mp3: it is missing"],
      ] as const) {
        if (damage === undefined) rmSync(file);
        else {
          writeFileSync(file, damage);
          utimesSync(file, mtime, mtime);
        }
        const { code, stderr } = await lcops("backup", "verify", "--level", level);
        expect({ code, stderr }).toMatchObject({ code: 4 });
        expect(stderr).toContain(said);
      }
      expect(await lcops("backup", "drill")).toMatchObject({ code: 4 });
      // The catalog does not show it; the copy itself does.
      expect(await run()).toEqual(QUIET);
      expect(await lcops("backup", "verify")).toMatchObject({ code: 4 });
      ground.copyTo({ folder: ground.at("disk") }, { auditDays: 0 });
      const mended = await run();
      expect(mended).toMatchObject({ code: 0 });
      expect(readFileSync(file, "utf8")).toBe("two");
      expect(await lcops("backup", "verify", "--level", "decode")).toEqual(QUIET);
    },
    60_000,
  );

  withS3(
    "an older set gives back what was replaced since",
    async () => {
      await fill();
      expect(await run()).toEqual(QUIET);
      const [before = ""] = await ground.sets();
      await ground.put("a.txt", "ONE, anew");
      await remove("学生/🎒");
      expect(await run()).toEqual(QUIET);
      const restore = (...words: string[]): ReturnType<typeof lcops> =>
        lcops("backup", "restore", ...words, "--yes");
      expect(await restore(before, "--into", ground.at("then"))).toEqual(QUIET);
      const day = (by: number): string =>
        `objects@${new Date(Date.now() + by * 86_400_000).toISOString().slice(0, 10)}`;
      expect(await restore(day(-1), "--into", ground.at("never"))).toMatchObject({ code: 2 });
      expect(await restore("objects@lately", "--into", ground.at("never"))).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("lately is no time"),
      });
      expect(await restore(day(0), "--only", "a.txt", "--into", ground.at("day"))).toEqual(QUIET);
      expect(readFileSync(ground.at("day/a.txt"), "utf8")).toBe("ONE, anew");
      expect(readFileSync(ground.at("then/a.txt"), "utf8")).toBe("one");
      expect(listFiles(ground.at("then"))).toHaveLength(4);
      expect(await restore("objects", "--into", ground.at("now"))).toEqual(QUIET);
      expect(readFileSync(ground.at("now/a.txt"), "utf8")).toBe("ONE, anew");
      expect(listFiles(ground.at("now"))).toHaveLength(3);
      // What the source has no more is in the copy still, and is had by its name.
      expect(await restore("objects", "--only", "学生/🎒", "--into", ground.at("one"))).toEqual(
        QUIET,
      );
      expect(listFiles(ground.at("one"))).toHaveLength(1);
      expect(await lcops("backup", "verify", before, "--level", "decode")).toEqual(QUIET);
      const none = await restore("objects", "--only", "clips/none", "--into", ground.at("none"));
      expect(none).toMatchObject({ code: 2 });
      expect(none.stderr).toContain("has no object clips/none");
    },
    60_000,
  );
});

describe("restored into a bucket", () => {
  withS3(
    "by key, by prefix, by time, over nothing unasked; what stands already is left",
    async () => {
      await ground.keepVersions(ground.copy);
      await fill();
      expect(await run()).toEqual(QUIET);
      const [before = ""] = await ground.sets();
      await ground.put("a.txt", "ONE, anew");
      expect(await run()).toEqual(QUIET);
      const rescued = async (): Promise<Record<string, string>> =>
        Object.fromEntries(
          Object.entries(await ground.read(ground.copy)).flatMap(([key, body]) =>
            key.startsWith("rescue/") ? [[key.slice(7), body]] : [],
          ),
        );
      const restore = (...words: string[]): ReturnType<typeof lcops> =>
        lcops("backup", "restore", ...words);
      const planned = await restore("objects", "--only", "clips", "--into", "rescue", "--dry-run");
      expect(planned).toMatchObject({ code: 0 });
      expect(planned.stdout + planned.stderr).toContain("2 objects, 8 bytes");
      expect(await restore("objects", "--only", "clips/", "--into", "rescue", "--yes")).toEqual(
        QUIET,
      );
      expect(Object.keys(await rescued())).toEqual(["clips/b.mp3", "clips/ü +&%.mp3"]);
      expect(await restore(before, "--only", "a.txt", "--into", "rescue/then", "--yes")).toEqual(
        QUIET,
      );
      expect((await rescued())["then/a.txt"]).toBe("one");
      door.script();
      expect(await restore("objects", "--into", "rescue", "--yes")).toEqual(QUIET);
      expect(door.count("CopyObject")).toBe(2);
      expect((await rescued())["a.txt"]).toBe("ONE, anew");

      const source = await restore("objects", "--into", "live", "--yes");
      expect(source).toMatchObject({ code: 5 });
      expect(source.stderr).toContain("is what the set was read from");
      await remove("a.txt");
      const words = ["--only", "a.txt", "--into", "live", "--in-place", "--confirm", "live"];
      expect(await restore("objects", ...words)).toEqual(QUIET);
      expect((await ground.read(ground.source))["a.txt"]).toBe("ONE, anew");
    },
    90_000,
  );

  withS3(
    "from a disk, with its headers and tags",
    async () => {
      ground.copyTo({ folder: ground.at("disk") });
      await fill();
      expect(await run()).toEqual(QUIET);
      expect(await lcops("backup", "restore", "objects", "--into", "rescue", "--yes")).toEqual(
        QUIET,
      );
      const head = await ground.client.send(
        new HeadObjectCommand({ Bucket: ground.copy, Key: "rescue/a.txt" }),
      );
      expect(head).toMatchObject({ ContentType: "text/plain", Metadata: { speaker: "s-1" } });
      const tags = await ground.client.send(
        new GetObjectTaggingCommand({ Bucket: ground.copy, Key: "rescue/clips/b.mp3" }),
      );
      expect(tags.TagSet).toEqual([{ Key: "class", Value: "B1" }]);
    },
    60_000,
  );

  withS3(
    "what an older set has no more, where no versions are kept, is named",
    async () => {
      await fill();
      expect(await run()).toEqual(QUIET);
      const [before = ""] = await ground.sets();
      await ground.put("a.txt", "ONE, anew");
      expect(await run()).toEqual(QUIET);
      const restored = await lcops("backup", "restore", before, "--into", "rescue", "--yes");
      expect(restored).toMatchObject({ code: 3 });
      expect(restored.stderr).toMatch(/a\.txt: it was replaced since/);
      expect(Object.keys(await ground.read(ground.copy))).toContain("rescue/clips/b.mp3");
      expect(await lcops("backup", "verify", before)).toMatchObject({ code: 4 });
      expect(await lcops("backup", "verify")).toEqual(QUIET);
    },
    60_000,
  );
});

describe("what is gone at the source", () => {
  withS3(
    "stays in the copy, unless the job says otherwise and two runs agree",
    async () => {
      await ground.keepVersions(ground.copy);
      await fill();
      expect(await run()).toEqual(QUIET);
      await remove("a.txt");
      for (let round = 0; round < 3; round++) expect(await run()).toEqual(QUIET);
      expect(Object.keys(await inCopy())).toHaveLength(4);
      expect(ground.catalog()[0]).toMatchObject({ key: "a.txt", missing: 3 });
      // It comes back: nothing was counted.
      await ground.put("a.txt", "one");
      ground.copyTo({ bucket: ground.copy, prefix: "copy" }, { remove: { atMost: 1 } });
      expect(await run()).toEqual(QUIET);
      expect(ground.catalog()[0]?.missing).toBeUndefined();
      await remove("a.txt");
      expect(await run()).toEqual(QUIET);
      expect(Object.keys(await inCopy())).toHaveLength(4);
      expect(door.count("DeleteObject")).toBe(0);
      expect(await run()).toEqual(QUIET);
      expect(Object.keys(await inCopy())).not.toContain("a.txt");
      await expectExact();
      // It was written down first, and an older version is there still.
      const { stdout } = await lcops("history");
      expect(stdout).toContain("remove from s3://");
      const { Versions = [] } = await ground.client.send(
        new ListObjectVersionsCommand({ Bucket: ground.copy, Prefix: "copy/a.txt" }),
      );
      expect(Versions.length).toBeGreaterThan(0);
      const [before = ""] = await ground.sets();
      const words = [before, "--only", "a.txt", "--into", "rescue", "--yes"];
      expect(await lcops("backup", "restore", ...words)).toEqual(QUIET);
    },
    90_000,
  );

  withS3(
    "more than may go: none goes, and the set is not whole",
    async () => {
      ground.copyTo({ folder: ground.at("disk") }, { remove: { atMost: 1 }, shrinkPercent: 60 });
      await fill();
      expect(await run()).toEqual(QUIET);
      await remove("a.txt");
      await remove("clips/b.mp3");
      expect(await run()).toEqual(QUIET);
      const refused = await run();
      expect(refused).toMatchObject({ code: 3 });
      expect(refused.stderr).toContain("more than s3.remove.atMost, 1: none was removed");
      expect(listFiles(ground.at("disk"))).toHaveLength(4);
      ground.copyTo({ folder: ground.at("disk") }, { remove: { atMost: 2 }, shrinkPercent: 60 });
      expect(await run()).toEqual(QUIET);
      const kept = listFiles(ground.at("disk"));
      expect(kept.filter((file) => file.startsWith("objects/"))).toHaveLength(2);
      expect(kept.filter((file) => file.startsWith("replaced/"))).toHaveLength(2);
    },
    60_000,
  );

  withS3("is removed from no bucket that keeps no versions", async () => {
    ground.copyTo({ bucket: ground.copy, prefix: "copy" }, { remove: { atMost: 1 } });
    await fill();
    const refused = await run();
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain("keeps no versions");
    expect(await inCopy()).toEqual({});
  });
});

describe("a source that cannot be believed", () => {
  withS3(
    "is not acted upon: empty, shrunk, gone",
    async () => {
      await fill();
      expect(await run()).toEqual(QUIET);
      const before = await inCopy();
      await ground.put("clips/b.mp3", "changed");
      for (const key of ["a.txt", "学生/🎒"]) await remove(key);
      const shrunk = await run();
      expect(shrunk).toMatchObject({ code: 5, stdout: "" });
      expect(shrunk.stderr).toMatch(/has 2 objects instead of 4, 50 % fewer; nothing was copied/);
      for (const key of ["clips/b.mp3", "clips/ü +&%.mp3"]) await remove(key);
      const empty = await run();
      expect(empty).toMatchObject({ code: 5, stdout: "" });
      expect(empty.stderr).toMatch(/is empty; nothing was copied, replaced or removed/);
      await ground.client.send(new DeleteBucketCommand({ Bucket: ground.source }));
      const gone = await run();
      expect(gone).toMatchObject({ code: 1, stdout: "" });
      expect(gone.stderr).toContain(`there is no bucket ${ground.source}`);
      expect(await inCopy()).toEqual(before);
      expect(await ground.sets()).toHaveLength(1);
      expect(await lcops("backup", "verify", "--level", "decode")).toEqual(QUIET);
    },
    60_000,
  );
});

withS3(
  "a run that is stopped does not wait for copies that S3 does not answer for",
  async () => {
    for (let index = 0; index < 5; index++) await ground.put(`o/${index}`, `body ${index}`);
    const running = startLcops(["backup", "run"], {
      environment: ground.environment,
      timeoutMs: 15_000,
    });
    door.script((call) => {
      if (call.operation !== "CopyObject") return call.forward();
      if (call.index === 4) running.send("SIGTERM");
      return new Promise(() => undefined);
    });
    expect(await running.ended).toMatchObject({ code: 143, stdout: "" });
    door.script();
    expect(await run()).toEqual(QUIET);
    await expectExact();
  },
  60_000,
);

withS3(
  "a run that is killed half-way is gone on with, and its catalog is exact",
  async () => {
    for (let index = 0; index < 60; index++) await ground.put(`o/${index}`, `body ${index}`);
    for (const stopAt of [1, 20, 45, 60]) {
      const running = startLcops(["backup", "run"], { environment: ground.environment });
      door.script(async (call) => {
        const reply = await call.forward();
        if (call.operation === "CopyObject" && call.index === stopAt) running.send("SIGKILL");
        return reply;
      });
      await running.ended;
    }
    door.script();
    expect(await run()).toEqual(QUIET);
    await expectExact();
    expect(await lcops("backup", "verify", "--level", "decode")).toEqual(QUIET);
    expect(await run()).toEqual(QUIET);
    expect(await lcops("backup", "gc", "--yes")).toEqual(QUIET);
  },
  90_000,
);
