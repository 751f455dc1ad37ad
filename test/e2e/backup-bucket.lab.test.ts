import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { refuse, RESET, type ScriptedS3, startScriptedS3 } from "../lab/scripted-s3.ts";
import { type BackupGround, compareFolders, makeBackupGround } from "../support/backup-ground.ts";
import { startLcops } from "../support/run-lcops.ts";
import { BUCKET, useBucket } from "../support/use-bucket.ts";
import { stateOf, useLab } from "../support/lab.ts";

const QUIET = { code: 0, signal: null, stdout: "", stderr: "" };

let ground: BackupGround;
let s3: ScriptedS3;
beforeEach(async () => {
  ground = makeBackupGround();
  s3 = await startScriptedS3();
  useBucket(ground, s3.url);
});
afterEach(async () => {
  await s3.close();
  ground.remove();
});

const lcops: BackupGround["lcops"] = (...words) => ground.lcops(...words);

const onlyBucket = (): void =>
  ground.configure(({ backups }) => {
    if (backups?.jobs["graphite"]) backups.jobs["graphite"].destinations = ["server"];
  });

async function makeSet(): Promise<string> {
  expect(await lcops("backup", "run")).toEqual(QUIET);
  return (await ground.sets()).at(-1) ?? "";
}

/** More than one piece of an upload, that no compression makes smaller. */
const addLargeFile = (): void =>
  writeFileSync(path.join(ground.whisper, "stats/large.wsp"), randomBytes(17 * 1024 * 1024));

const manifests = (): string[] =>
  [...s3.objects.keys()].filter((key) => key.startsWith("team/sets/manifests/"));
const findKey = (part: string): string =>
  [...s3.objects.keys()].find((key) => key.includes(part)) ?? "";

describe("a bucket", () => {
  const hasMoto = stateOf("aws") === "emulator";
  const makeMotoBucket = async (): Promise<void> => {
    const url = (await useLab("aws")).aws?.endpointUrl ?? "";
    const made = await fetch(`${url}/${BUCKET}`, {
      method: "PUT",
      headers: {
        authorization: "AWS4-HMAC-SHA256 Credential=lab/20140101/us-east-1/s3/aws4_request",
      },
    });
    expect(made.status).toBe(200);
    useBucket(ground, url);
  };
  for (const kind of ["scripted", "moto"] as const) {
    const run = kind === "moto" && !hasMoto ? test.skip : test;
    run(
      `holds sets as a folder does: made, listed, verified, drilled, restored, pruned (${kind})`,
      async () => {
        if (kind === "moto") await makeMotoBucket();
        addLargeFile();
        const setId = await makeSet();
        const listed = await lcops("backup", "list");
        expect(listed.stdout).toContain(`${setId}\tgraphite\tserver, operator\tcomplete\t`);
        onlyBucket();
        for (const level of ["sizes", "hashes", "decode"])
          expect(await lcops("backup", "verify", "--level", level)).toEqual(QUIET);
        expect(await lcops("backup", "drill")).toEqual(QUIET);
        const into = ground.at("all");
        expect(await lcops("backup", "restore", setId, "--into", into, "--yes")).toEqual(QUIET);
        expect(compareFolders(ground.whisper, into)).toEqual([]);
        ground.configure(({ backups }) => {
          if (backups?.jobs["graphite"]) backups.jobs["graphite"].keep = { last: 1 };
        });
        const second = await makeSet();
        expect(await lcops("backup", "verify")).toEqual(QUIET);
        // The last that was proven would be kept.
        expect(await lcops("backup", "drill")).toEqual(QUIET);
        expect(await lcops("backup", "prune", "--yes")).toMatchObject({ code: 0 });
        expect(await ground.sets()).toEqual([second]);
        expect(await lcops("backup", "gc", "--yes")).toEqual(QUIET);
      },
      90_000,
    );
  }

  test("what is damaged there is found and named; the other copy is not", async () => {
    const setId = await makeSet();
    const key = findKey("stats/pack");
    const whole = s3.objects.get(key) ?? Buffer.alloc(0);
    const flipped = Buffer.from(whole);
    flipped[whole.length >> 1] = (flipped[whole.length >> 1] ?? 0) ^ 1;
    // What was promised when it was stored.
    s3.script((call) => {
      const reply = call.forward();
      return call.operation === "GetObject" && call.key === key
        ? { ...reply, headers: { ...reply.headers, "x-amz-checksum-crc32": "AAAAAA==" } }
        : reply;
    });
    for (const [there, level, said] of [
      [flipped, "hashes", /stats\/pack/],
      [flipped, "decode", /stats\/pack/],
      [whole.subarray(0, -1), "sizes", /bytes instead of/],
      [undefined, "sizes", /it is missing/],
    ] as const) {
      if (there) s3.objects.set(key, there);
      else s3.objects.delete(key);
      const { code, stderr } = await lcops("backup", "verify", setId, "--level", level);
      expect({ code, level }).toEqual({ code: 4, level });
      expect(stderr).toMatch(said);
      expect(stderr).not.toContain("operator");
    }
  }, 60_000);
});

describe("while a set is written", () => {
  test("a 503 and a connection that is reset are tried again, and nothing is there twice", async () => {
    s3.script(({ operation, index, forward }) => {
      if (operation === "PutObject" && index === 0) return refuse(503, "SlowDown");
      if (operation === "PutObject" && index === 2) return RESET;
      return forward();
    });
    await makeSet();
    onlyBucket();
    s3.script();
    expect(await lcops("backup", "verify", "--level", "decode")).toEqual(QUIET);
  });

  test("a bucket that is not there is named, and the other destination has the set", async () => {
    s3.script(({ operation, forward }) =>
      operation === "GetCallerIdentity" ? forward() : refuse(404, "NoSuchBucket"),
    );
    const { code, stderr } = await lcops("backup", "run");
    expect(code).toBe(3);
    expect(stderr).toContain(`not at server: there is no bucket ${BUCKET}`);
    s3.script();
    expect(await ground.sets()).toHaveLength(1);
    expect(manifests()).toEqual([]);
  });

  for (const [what, reply] of [
    [
      "a piece that is refused (403)",
      { operation: "UploadPart", answer: refuse(403, "AccessDenied") },
    ],
    [
      "an upload whose end fails behind a 200",
      { operation: "CompleteMultipartUpload", answer: { ...refuse(200, "InternalError") } },
    ],
  ] as const) {
    test(`${what}: nothing is published there, no upload is left, the other has the set`, async () => {
      addLargeFile();
      s3.script(({ operation, forward, query }) =>
        operation === reply.operation && query.get("partNumber") !== "1" ? reply.answer : forward(),
      );
      const { code, stderr } = await lcops("backup", "run");
      expect(code).toBe(3);
      expect(stderr).toMatch(/is incomplete: not at server: s3:PutObject/);
      s3.script();
      expect(manifests()).toEqual([]);
      expect([...s3.objects.keys()]).toEqual([]);
      expect(s3.uploads.size).toBe(0);
      expect(await ground.sets()).toHaveLength(1);
      // The other copy is whole.
      expect(await lcops("backup", "verify", "--level", "decode")).toEqual(QUIET);
    }, 60_000);
  }

  test("a manifest that is refused publishes nothing there", async () => {
    s3.script(({ operation, key, forward }) =>
      operation === "PutObject" && key.includes("manifests/")
        ? refuse(403, "AccessDenied")
        : forward(),
    );
    const { code, stderr } = await lcops("backup", "run");
    expect(code).toBe(3);
    expect(stderr).toMatch(/not at server: s3:PutObject .*permission denied/);
    expect([...s3.objects.keys()]).toEqual([]);
  });

  test("a manifest of that name that came meanwhile stays, with its parts, and the run says so", async () => {
    const theirs = Buffer.from("another run's");
    s3.script(({ operation, key, forward }) => {
      if (operation === "PutObject" && key.includes("manifests/")) s3.objects.set(key, theirs);
      return forward();
    });
    const { code, stderr } = await lcops("backup", "run");
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /not at server: manifests\/graphite\/\S+\.json is there already, and another run has written it/,
    );
    const [manifest = ""] = manifests();
    expect(s3.objects.get(manifest)?.equals(theirs)).toBe(true);
    const setId = path.basename(manifest, ".json");
    expect(findKey(`data/graphite/${setId}/RESTORE.txt`)).not.toBe("");
    // Nor does a later run, or gc, take it for what a killed run has left.
    s3.script();
    await makeSet();
    await lcops("backup", "gc", "--yes");
    expect(s3.objects.get(manifest)?.equals(theirs)).toBe(true);
  }, 60_000);

  test("a set of that name that another run is making keeps its parts, and gets none of ours", async () => {
    const theirs = Buffer.from("another run's");
    let setId = "";
    s3.script(({ operation, key, forward }) => {
      if (operation === "PutObject" && key.endsWith("/RESTORE.txt") && setId === "") {
        setId = key.split("/").at(-2) ?? "";
        s3.objects.set(key, theirs);
        s3.objects.set(key.replace("RESTORE.txt", "stats/theirs"), theirs);
      }
      return forward();
    });
    const { code, stderr } = await lcops("backup", "run");
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /not at server: data\/graphite\/\S+\/RESTORE\.txt is there already, and another run has written it/,
    );
    const there = [...s3.objects.keys()].map((key) => key.split(`${setId}/`)[1] ?? "");
    expect(there.toSorted()).toEqual(["RESTORE.txt", "stats/theirs"]);
    expect(await lcops("backup", "verify")).toEqual(QUIET);
  }, 60_000);

  test("credentials that are refused take nothing from the other destination", async () => {
    // STS words it so.
    const body =
      "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>no</Message></Error></ErrorResponse>";
    s3.script(() => ({ status: 403, body, headers: { "Content-Type": "text/xml" } }));
    const { code, stderr } = await lcops("backup", "run");
    expect(code).toBe(3);
    expect(stderr).toMatch(/not at server: sts:GetCallerIdentity .*have expired/);
    s3.script();
    expect(await ground.sets()).toHaveLength(1);
  });

  test("what a killed run left at a bucket that is down now is no reason to do without the other", async () => {
    s3.script(({ operation, key, forward }) => {
      if (operation === "PutObject" && key.includes("RESTORE")) killed.send("SIGKILL");
      return forward();
    });
    const killed = startLcops(["backup", "run"], { environment: ground.environment });
    expect(await killed.ended).toMatchObject({ signal: "SIGKILL" });
    expect(s3.objects.size).toBeGreaterThan(0);
    s3.script(({ operation, forward }) =>
      operation === "GetCallerIdentity" ? forward() : refuse(403, "AccessDenied"),
    );
    expect(await lcops("backup", "run")).toMatchObject({ code: 3 });
    s3.script();
    expect(await ground.sets()).toHaveLength(1);
    // Once it answers again, the next run removes it.
    const before = [...s3.objects.keys()];
    expect(before).not.toEqual([]);
    expect(await lcops("backup", "run")).toEqual(QUIET);
    expect([...s3.objects.keys()].filter((key) => before.includes(key))).toEqual([]);
  });

  test("SIGTERM leaves no set, and the next run removes what is there", async () => {
    addLargeFile();
    s3.script(({ operation, forward }) => {
      if (operation === "UploadPart") running.send("SIGTERM");
      return forward();
    });
    const running = startLcops(["backup", "run"], { environment: ground.environment });
    expect(await running.ended).toMatchObject({ code: 143 });
    s3.script();
    expect(manifests()).toEqual([]);
    rmSync(path.join(ground.whisper, "stats/large.wsp"));
    const setId = await makeSet();
    expect([...s3.objects.keys()].filter((key) => !key.includes(setId))).toEqual([]);
    expect(s3.uploads.size).toBe(0);
  });
});

describe("while sets are read", () => {
  test("with keys that may only read: what is found is said, and that its report is not kept", async () => {
    await makeSet();
    const key = findKey("stats/pack");
    s3.script(({ operation, forward }) =>
      operation === "PutObject" ? refuse(403, "AccessDenied") : forward(),
    );
    const whole = await lcops("backup", "verify", "--level", "decode");
    expect(whole).toMatchObject({ code: 3, stdout: "" });
    expect(whole.stderr).toMatch(/^lcops: graphite: \S+ at server: its report is not kept: .*\n$/);
    onlyBucket();
    const drill = await lcops("backup", "drill", "--json");
    expect(drill.code).toBe(3);
    expect(JSON.parse(drill.stdout)).toMatchObject([{ report: { verdict: "proven" } }]);
    expect(drill.stderr).toMatch(/its report is not kept at server: .*permission denied/);
    s3.objects.set(key, Buffer.from("other"));
    const damaged = await lcops("backup", "verify");
    expect(damaged.code).toBe(4);
    expect(damaged.stderr).toMatch(/stats\/pack\S+: 5 bytes instead of/);
  }, 60_000);

  test("a listing that is cut off hides nothing in silence", async () => {
    await makeSet();
    await makeSet();
    onlyBucket();
    s3.script(({ operation, forward }) => {
      const reply = forward();
      if (operation !== "ListObjectsV2") return reply;
      const body = String(reply.body)
        .replace(/<NextContinuationToken>.*?<\/NextContinuationToken>/, "")
        .replace("<IsTruncated>false", "<IsTruncated>true");
      return { ...reply, body };
    });
    const cut = await lcops("backup", "list");
    expect(cut).toMatchObject({ code: 1, stdout: "" });
    expect(cut.stderr).toMatch(/the listing of s3:\/\/lcops-sets.* is cut off/);
  });

  test("a 403 half-way through a listing is told, and no set is taken for damaged", async () => {
    for (let count = 0; count < 5; count++) await makeSet();
    onlyBucket();
    s3.script(({ operation, query, forward }) =>
      operation === "ListObjectsV2" && query.has("continuation-token")
        ? refuse(403, "AccessDenied")
        : forward(),
    );
    const cut = await lcops("backup", "list");
    expect(cut).toMatchObject({ code: 1, stdout: "" });
    expect(cut.stderr).toMatch(/s3:ListBucket .*permission denied/);
    const removed = await lcops("backup", "gc", "--yes");
    expect(removed.code).toBe(3);
    s3.script();
    expect(await ground.sets()).toHaveLength(5);
  }, 60_000);

  test("a body that is cut off is no finding: nothing is known of the part then", async () => {
    const setId = await makeSet();
    onlyBucket();
    s3.script(({ operation, key, forward }) =>
      operation === "GetObject" && key.includes("stats/pack")
        ? { ...forward(), cutAfterBytes: 100 }
        : forward(),
    );
    for (const level of ["hashes", "decode"]) {
      const { code, stderr } = await lcops("backup", "verify", "--level", level);
      expect(code).toBe(1);
      expect(stderr).toMatch(/s3:GetObject/);
      expect(stderr).not.toMatch(/damaged/);
    }
    const restored = await lcops("backup", "restore", setId, "--into", ground.at("x"), "--yes");
    expect(restored.code).toBe(1);
    expect(restored.stderr).not.toMatch(/damaged/);
  });
});
