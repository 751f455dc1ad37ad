/** What befalls the copy of a bucket, one accident a test: nothing is removed or believed that is not so. */
import { createHash } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
} from "@aws-sdk/client-s3";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  answerXml,
  type ProxiedCall,
  type ProxiedReply,
  refuseCall,
  type S3Proxy,
  startS3Proxy,
} from "../lab/s3-proxy.ts";
import { listFiles, makeObjectGround, type ObjectGround } from "../support/object-ground.ts";
import { type LcopsResult, startLcops } from "../support/run-lcops.ts";
import { useLab } from "../support/lab.ts";

const QUIET = { code: 0, signal: null, stdout: "", stderr: "" };
const { s3 } = await useLab("s3");
const withS3 = test.skipIf(!s3);
const KEYS = Array.from({ length: 12 }, (_, index) => `o/${String(index).padStart(2, "0")}`);

let ground: ObjectGround;
let door: S3Proxy;
beforeEach(async () => {
  if (!s3) return;
  door = await startS3Proxy(s3.url);
  ground = await makeObjectGround(s3, door.url);
  for (const key of KEYS) await ground.put(key, `body of ${key}`);
});
afterEach(async () => {
  ground?.remove();
  await door?.close();
});

const run = (): Promise<LcopsResult> => ground.lcops("backup", "run");
const copied = async (): Promise<string[]> => Object.keys(await ground.read(ground.copy));
const toDisk = (more = {}): void => ground.copyTo({ folder: ground.at("disk") }, more);

/** What the accident leaves out comes with the next run. */
async function expectWholeNext(): Promise<void> {
  door.script();
  expect(await run()).toEqual(QUIET);
  const source = await ground.read(ground.source);
  expect(ground.catalog().map(({ key }) => key)).toEqual(Object.keys(source));
  expect(await ground.lcops("backup", "verify", "--level", "decode")).toEqual(QUIET);
}

const on =
  (
    operation: ProxiedCall["operation"],
    act: (call: ProxiedCall) => Promise<ProxiedReply | undefined> | ProxiedReply | undefined,
  ) =>
  async (call: ProxiedCall): Promise<ProxiedReply> =>
    (call.operation === operation ? await act(call) : undefined) ?? call.forward();

/** Pages of four, as a large bucket has them of a thousand. */
const page = async (call: ProxiedCall, change: (xml: string) => string): Promise<ProxiedReply> => {
  const reply = await call.forward();
  return { ...reply, body: Buffer.from(change(reply.body.toString())) };
};

const LISTING_ACCIDENTS: readonly {
  title: string;
  said: RegExp;
  act: (call: ProxiedCall) => Promise<ProxiedReply | undefined> | ProxiedReply | undefined;
}[] = [
  {
    title: "it is cut off without saying where it goes on",
    said: /the listing of s3:\/\/\S+ is cut off/,
    act: (call) =>
      page(call, (xml) =>
        xml.replace("<IsTruncated>false</IsTruncated>", "<IsTruncated>true</IsTruncated>"),
      ),
  },
  {
    title: "it is refused half-way",
    said: /s3:ListBucket .*permission denied/,
    act: (call) =>
      call.index === 0
        ? page(call, (xml) =>
            xml.replace(
              "<IsTruncated>false</IsTruncated>",
              "<IsTruncated>true</IsTruncated><NextContinuationToken>more</NextContinuationToken>",
            ),
          )
        : refuseCall(403, "AccessDenied"),
  },
  {
    title: "it counts more objects than it shows",
    said: /a page of the listing has 12 objects, and not 11/,
    act: (call) => page(call, (xml) => xml.replace(/<Contents>.*?<\/Contents>/s, "")),
  },
  {
    title: "it is out of order",
    said: /is out of order/,
    act: (call) =>
      page(call, (xml) =>
        xml
          .replace("<Key>o%2F00</Key>", "<Key>o/99</Key>")
          .replace("<Key>o/00</Key>", "<Key>o/99</Key>"),
      ),
  },
  {
    title: "it shows nothing",
    said: /is empty; nothing was copied/,
    act: () =>
      answerXml(
        "<ListBucketResult><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>",
      ),
  },
];

for (const { title, said, act } of LISTING_ACCIDENTS) {
  withS3(
    `a listing that lies stops the run before it touches anything: ${title}`,
    async () => {
      toDisk({ remove: { atMost: 100 } });
      expect(await run()).toEqual(QUIET);
      await ground.put("o/00", "changed");
      for (let round = 0; round < 3; round++) {
        door.script(on("ListObjectsV2", act));
        const { code, stderr } = await run();
        expect([1, 5]).toContain(code);
        expect(stderr).toMatch(said);
        expect(door.count("GetObject")).toBe(0);
      }
      expect(listFiles(ground.at("disk"))).toHaveLength(KEYS.length);
      expect(await ground.sets()).toHaveLength(1);
      await expectWholeNext();
    },
    60_000,
  );
}

withS3(
  "verify says of how many objects no hash is known, as where a key of KMS encrypts them",
  async () => {
    ground.copyTo({ bucket: ground.copy, prefix: "copy" });
    expect(await run()).toEqual(QUIET);
    const verify = async (level: string) => {
      const { code, stdout } = await ground.lcops("backup", "verify", "--level", level, "--json");
      const [{ report } = { report: {} }] = JSON.parse(stdout) as { report: object }[];
      return { code, report };
    };
    expect(await verify("hashes")).toMatchObject({
      code: 0,
      report: { ok: true, readBack: { objects: KEYS.length, unhashed: 0 } },
    });
    expect((await verify("sizes")).report).not.toHaveProperty("readBack");
    door.script(
      on("GetObject", async (call) => {
        if (call.key.endsWith("00") || call.bucket !== ground.copy) return undefined;
        const reply = await call.forward();
        const headers = { ...reply.headers, "x-amz-server-side-encryption": "aws:kms" };
        return { ...reply, headers };
      }),
    );
    expect(await verify("decode")).toMatchObject({
      code: 0,
      report: { ok: true, readBack: { objects: KEYS.length, unhashed: KEYS.length - 1 } },
    });
    const { code, stderr } = await ground.lcops("backup", "verify", "-v");
    expect(code).toBe(0);
    expect(stderr).toContain(
      "is whole (hashes); of 11 of the 12 objects that were read no hash is known: their bytes were counted",
    );
  },
  60_000,
);

withS3(
  "an object that changes between listing and copying is copied as it is then",
  async () => {
    door.script(
      on("CopyObject", async (call) => {
        if (
          call.key === "copy/o/03" &&
          door.calls.filter((one) => one.key === call.key).length === 1
        )
          await ground.put("o/03", "another body");
        return undefined;
      }),
    );
    expect(await run()).toEqual(QUIET);
    expect((await ground.read(ground.copy))["copy/o/03"]).toBe("another body");
    expect(ground.catalog()[3]).toMatchObject({ key: "o/03", size: 12 });
    await expectWholeNext();
  },
  60_000,
);

withS3(
  "one that changes each time is named, and the set is not whole",
  async () => {
    let turn = 0;
    door.script(
      on("CopyObject", async (call) => {
        if (call.key === "copy/o/03") await ground.put("o/03", `body ${"x".repeat(++turn)}`);
        return undefined;
      }),
    );
    const { code, stderr } = await run();
    expect({ code, turn }).toEqual({ code: 3, turn: 3 });
    expect(stderr).toContain("o/03: it changes while it is copied, again and again");
    expect(await copied()).toHaveLength(KEYS.length - 1);
    await expectWholeNext();
  },
  60_000,
);

withS3(
  "one that vanishes before it is copied is no error; many are",
  async () => {
    let most = 1;
    const vanish = on("CopyObject", async (call) => {
      const key = call.key.slice("copy/".length);
      if (most-- > 0)
        await ground.client.send(new DeleteObjectCommand({ Bucket: ground.source, Key: key }));
      return undefined;
    });
    door.script(vanish);
    expect(await run()).toEqual(QUIET);
    expect(ground.catalog()).toHaveLength(KEYS.length - 1);
    for (const key of KEYS) await ground.put(key, `anew ${key}`);
    most = 4;
    door.script(vanish);
    const many = await run();
    expect(many).toMatchObject({ code: 3 });
    expect(many.stderr).toContain("4 objects: they vanished while they were copied");
  },
  60_000,
);

withS3(
  "what is archived or may not be read is named, and the rest is copied",
  async () => {
    door.script(
      on("CopyObject", ({ key }) => {
        if (key === "copy/o/01") return refuseCall(403, "InvalidObjectState");
        return key === "copy/o/02" ? refuseCall(403, "AccessDenied") : undefined;
      }),
    );
    const { code, stderr } = await run();
    expect(code).toBe(3);
    expect(stderr).toMatch(/o\/01: it is archived/);
    expect(stderr).toMatch(/o\/02: permission to read or to store it is denied/);
    expect(await copied()).toHaveLength(KEYS.length - 2);
    await expectWholeNext();
  },
  60_000,
);

withS3(
  "credentials that expire end the run; the next one goes on behind it",
  async () => {
    door.script(
      on("CopyObject", ({ index }) => (index < 5 ? undefined : refuseCall(400, "ExpiredToken"))),
    );
    const { code, stderr } = await run();
    expect(code).toBe(1);
    expect(stderr).toMatch(/credentials have expired .*sign in/);
    expect(await ground.sets()).toEqual([]);
    await expectWholeNext();
  },
  60_000,
);

withS3(
  "S3 that asks to slow down is asked less at once, and everything arrives",
  async () => {
    for (let index = 0; index < 80; index++) await ground.put(`p/${index}`, "x");
    const began = new Map<string, number>();
    let inside = 0;
    let mostLate = 0;
    door.script(async (call) => {
      if (call.operation !== "CopyObject") return call.forward();
      const turn = (began.get(call.key) ?? 0) + 1;
      began.set(call.key, turn);
      // A storm: what is asked for the first time is refused.
      if (turn === 1 && began.size <= 40) return refuseCall(503, "SlowDown");
      mostLate = Math.max(mostLate, ++inside);
      return call.forward().finally(() => void inside--);
    });
    expect(await run()).toEqual(QUIET);
    expect(await copied()).toHaveLength(KEYS.length + 80);
    expect(mostLate).toBeLessThanOrEqual(16);
    await expectWholeNext();
  },
  60_000,
);

withS3(
  "connections that are reset, bodies that are cut and bytes that are others are read again",
  async () => {
    toDisk();
    door.script(
      on("GetObject", async (call) => {
        const turn = door.calls.filter((one) => one.key === call.key).length;
        if (turn > 1) return undefined;
        const reply = await call.forward();
        if (call.key === "o/01") return { ...reply, cutAfterBytes: 0 };
        if (call.key === "o/02") return { ...reply, cutAfterBytes: 4 };
        // Whole for HTTP, and less than the object.
        if (call.key === "o/03") return { ...reply, body: reply.body.subarray(0, 4) };
        return call.key === "o/04" ? { ...reply, body: Buffer.from("BODY OF o/04") } : undefined;
      }),
    );
    expect(await run()).toEqual(QUIET);
    expect(listFiles(ground.at("disk"))).toHaveLength(KEYS.length);
    expect(await ground.lcops("backup", "verify", "--level", "decode")).toEqual(QUIET);
    door.script(
      on("GetObject", async (call) => {
        const reply = await call.forward();
        return call.key === "o/04" ? { ...reply, body: Buffer.from("BODY OF o/04") } : reply;
      }),
    );
    // Other bytes: with the same ones within the same second it would be the same object.
    await ground.put("o/04", "copy of o/04");
    const never = await run();
    expect(never).toMatchObject({ code: 3 });
    expect(never.stderr).toContain("o/04: its MD5 is not its etag, however often it is read");
    await expectWholeNext();
  },
  60_000,
);

const GIB = 1024 ** 3;

withS3(
  "what is larger than 5 GiB is copied in pieces, each only of what was listed",
  async () => {
    // No server is given so much: its listing and what it is asked for are scripted.
    const size = 12 * GIB + 5;
    const etag = createHash("md5").update("body of o/05").digest("hex");
    const ranges: string[] = [];
    let isBroken = true;
    const large = async (call: ProxiedCall): Promise<ProxiedReply> => {
      const isLarge = call.key.endsWith("o/05");
      if (call.operation === "ListObjectsV2")
        return page(call, (xml) =>
          xml.replace(/(<Key>o(?:\/|%2F)05<\/Key>.*?<Size>)\d+/s, `$1${size}`),
        );
      if (!isLarge) return call.forward();
      if (call.operation === "HeadObject")
        return {
          status: 200,
          headers: {
            "content-length": String(size),
            etag: `"${etag}"`,
            "content-type": "audio/mpeg",
          },
          body: Buffer.alloc(0),
        };
      if (call.operation === "CreateMultipartUpload") {
        expect(call.headers["content-type"]).toBe("audio/mpeg");
        return answerXml("<R><UploadId>u-1</UploadId></R>");
      }
      if (call.operation === "UploadPartCopy") {
        expect(call.headers["x-amz-copy-source-if-match"]).toBe(`"${etag}"`);
        ranges.push(String(call.headers["x-amz-copy-source-range"]));
        if (isBroken && ranges.length === 3) return refuseCall(412, "PreconditionFailed");
        return answerXml('<CopyPartResult><ETag>"p"</ETag></CopyPartResult>');
      }
      if (call.operation === "CompleteMultipartUpload")
        return answerXml('<R><ETag>"whole-25"</ETag></R>');
      if (call.operation === "AbortMultipartUpload") {
        isBroken = false;
        ranges.length = 0;
        return { status: 204, headers: {}, body: Buffer.alloc(0) };
      }
      return call.forward();
    };
    door.script(large);
    // It has changed half-way: the upload is given up, and begun anew with what it is now.
    const { code, stderr } = await run();
    expect(door.count("AbortMultipartUpload")).toBe(1);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const parsed = ranges
      .map((range) => /^bytes=(\d+)-(\d+)$/.exec(range)?.slice(1).map(Number) ?? [])
      .toSorted(([one = 0], [other = 0]) => one - other);
    expect(parsed[0]?.[0]).toBe(0);
    expect(parsed.at(-1)?.[1]).toBe(size - 1);
    for (const [index, [first]] of parsed.entries())
      if (index > 0) expect(first).toBe((parsed[index - 1]?.[1] ?? 0) + 1);
    expect(ground.catalog()[5]).toMatchObject({ key: "o/05", size, copy: { etag: "whole-25" } });
  },
  60_000,
);

withS3(
  "an upload that a killed run has left is given up by the next",
  async () => {
    await ground.put("o/large", Buffer.alloc(40 * 1024 * 1024, 7));
    ground.configure(({ environments }) => {
      if (environments)
        environments["other"] = { aws: { profile: "other", regions: ["us-west-2"] } };
    });
    ground.addProfile("other");
    ground.copyTo({ bucket: ground.copy, prefix: "copy", environment: "other" });
    const running = startLcops(["backup", "run"], { environment: ground.environment });
    door.script(async (call) => {
      // Who may write the copy may not read the source: it goes through this machine.
      if (call.operation === "HeadObject")
        return { status: 403, headers: {}, body: Buffer.alloc(0) };
      if (call.operation === "UploadPart" && call.index === 1) running.send("SIGKILL");
      return call.forward();
    });
    await running.ended;
    const uploads = async (): Promise<number> =>
      (
        await ground.client.send(new ListMultipartUploadsCommand({ Bucket: ground.copy }))
      ).Uploads?.filter(({ Key }) => Key !== strangers.Key).length ?? 0;
    // Begun after the run was killed, by somebody else.
    const strangers = { Bucket: ground.copy, Key: "copy/of-somebody-else" };
    const { UploadId } = await ground.client.send(new CreateMultipartUploadCommand(strangers));
    expect(await uploads()).toBe(1);
    door.script();
    expect(await run()).toEqual(QUIET);
    expect(await uploads()).toBe(0);
    // It can still be given up by its owner: it is there.
    await ground.client.send(new AbortMultipartUploadCommand({ ...strangers, UploadId }));
    expect((await ground.read(ground.copy))["copy/o/large"]).toHaveLength(40 * 1024 * 1024);
  },
  60_000,
);
