import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { setTimeout as wait } from "node:timers/promises";
import {
  answerXml,
  type ProxiedCall,
  type ProxiedReply,
  refuseCall,
  startS3Proxy,
} from "../lab/s3-proxy.ts";
import { startLab } from "../lab/start-lab.ts";
import { makeObjectGround, type ObjectGround, putMany } from "../support/object-ground.ts";
import { startLcops } from "../support/run-lcops.ts";

const OBJECTS = 20_000;

type Script = (call: ProxiedCall) => Promise<ProxiedReply>;
interface Accident {
  name: string;
  script: Script;
  /** What it may end with. */
  codes: readonly number[];
}

const isCopy = ({ operation }: ProxiedCall): boolean => operation === "CopyObject";
const isListing = (call: ProxiedCall): boolean => call.operation === "ListObjectsV2";

const change = async (call: ProxiedCall, edit: (xml: string) => string): Promise<ProxiedReply> => {
  const reply = await call.forward();
  return { ...reply, body: Buffer.from(edit(reply.body.toString())) };
};

/** Each by its name in the failure cases; the copy must lose nothing in any. */
const ACCIDENTS: readonly Accident[] = [
  {
    name: "an empty listing",
    codes: [5],
    script: async (call) =>
      isListing(call)
        ? answerXml(
            "<ListBucketResult><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>",
          )
        : call.forward(),
  },
  {
    name: "a listing that ends too early",
    codes: [5],
    script: async (call) =>
      isListing(call)
        ? change(call, (xml) =>
            xml.replace("<IsTruncated>true</IsTruncated>", "<IsTruncated>false</IsTruncated>"),
          )
        : call.forward(),
  },
  {
    name: "a listing that is cut off without a token",
    codes: [1],
    script: async (call) =>
      isListing(call)
        ? change(call, (xml) =>
            xml.replace(/<NextContinuationToken>.*?<\/NextContinuationToken>/s, ""),
          )
        : call.forward(),
  },
  {
    name: "a listing that is refused half-way",
    codes: [1],
    script: async (call) =>
      isListing(call) && call.index === 9 ? refuseCall(403, "AccessDenied") : call.forward(),
  },
  {
    name: "a bucket that is not there",
    codes: [1],
    script: async (call) => (isListing(call) ? refuseCall(404, "NoSuchBucket") : call.forward()),
  },
  {
    name: "a storm of 503",
    codes: [0],
    script: async (call) =>
      isCopy(call) && call.index < 400 && call.index % 2 === 0
        ? refuseCall(503, "SlowDown")
        : call.forward(),
  },
  {
    name: "connections that are reset",
    codes: [0],
    script: async (call) => {
      const reply = await call.forward();
      return call.operation !== "other" && call.index % 10 === 3
        ? { ...reply, cutAfterBytes: 0 }
        : reply;
    },
  },
  {
    name: "credentials that expire",
    codes: [1],
    script: async (call) =>
      isCopy(call) && call.index > 200 ? refuseCall(400, "ExpiredToken") : call.forward(),
  },
];

/**
 * Given how many runs to kill (20), copy 20,000 objects of the lab's S3 to another bucket, by a job that may remove: try every accident, kill runs at
 * random moments, change objects meanwhile. Returns what was seen; throws where the copy has lost an object, or its catalog is not exact.
 */
export async function soakObjects(count = 20): Promise<string> {
  const lab = await startLab({ parts: ["s3"] });
  try {
    if (!lab.s3) throw new Error("the lab has no S3: npm run lab:fetch");
    const door = await startS3Proxy(lab.s3.url);
    const ground = await makeObjectGround(lab.s3, door.url);
    try {
      await ground.keepVersions(ground.copy);
      ground.copyTo({ bucket: ground.copy, prefix: "copy" }, { remove: { atMost: 1_000 } });
      await putMany(ground, OBJECTS);
      const seen = { killed: 0, ended: 0 };
      let changes = 0;
      /** Objects that were overwritten before each run, so that it has something to do. */
      const touch = async (): Promise<void> => {
        const keys = Array.from({ length: 600 }, () => keyOf(Math.floor(Math.random() * OBJECTS)));
        for (const key of new Set(keys)) await ground.put(key, `change ${++changes}`);
      };
      const kill = async (longestMs: number): Promise<void> => {
        const running = startLcops(["backup", "run"], {
          environment: ground.environment,
          timeoutMs: 600_000,
        });
        await Promise.race([wait(Math.random() * longestMs), running.ended]);
        running.send("SIGKILL");
        const { signal } = await running.ended;
        seen[signal === "SIGKILL" ? "killed" : "ended"]++;
      };
      // The first copy, killed several times on its way.
      for (let round = 0; round < count / 4; round++) await kill(15_000);
      const began = performance.now();
      await expectRun(ground, [0]);
      const firstMs = performance.now() - began;
      await expectExact(ground);

      const tried: string[] = [];
      for (const { name, script, codes } of ACCIDENTS) {
        await touch();
        for (let round = 0; round < 2; round++) {
          door.script(script);
          await expectRun(ground, codes, name);
          if (door.count("DeleteObject") > 0) throw new Error(`${name}: something was removed`);
          const { size } = await ground.list(ground.copy);
          if (size < OBJECTS)
            throw new Error(`${name}: the copy has ${size} objects of ${OBJECTS}`);
        }
        door.script();
        await expectRun(ground, [0], `behind ${name}`);
        await expectExact(ground);
        tried.push(name);
      }
      while (seen.killed < count) {
        await touch();
        await kill(4_000);
        if ((await ground.list(ground.copy)).size < OBJECTS)
          throw new Error("a killed run has removed something");
        if (seen.killed % 5 === 0) {
          await expectRun(ground, [0], "behind a killed run");
          await expectExact(ground);
        }
      }
      // Objects that go while a run reads them, and the two runs that agree on it.
      const gone = Array.from({ length: 300 }, (_, index) => keyOf(index * 60));
      door.script(async (call) => {
        const key = isCopy(call) ? gone.pop() : undefined;
        if (key !== undefined)
          await ground.client.send(new DeleteObjectCommand({ Bucket: ground.source, Key: key }));
        return call.forward();
      });
      await touch();
      await expectRun(ground, [0, 3], "while objects go");
      door.script();
      for (const key of gone)
        await ground.client.send(new DeleteObjectCommand({ Bucket: ground.source, Key: key }));
      for (let round = 0; round < 3; round++)
        await expectRun(ground, [0], "what is gone is removed");
      await expectExact(ground);
      const verified = await ground.lcops("backup", "verify", "--level", "hashes");
      if (verified.code !== 0) throw new Error(`verify: ${verified.code} ${verified.stderr}`);
      return `${OBJECTS} objects (${lab.s3.server}), first copied in ${(firstMs / 1000).toFixed(0)} s behind its kills; ${tried.length} accidents tried twice each (${tried.join(", ")}), nothing was removed in any; ${seen.killed} runs killed (${seen.ended} had ended before), the catalog was exact behind each; 300 objects that two runs missed were removed`;
    } finally {
      ground.remove();
      await door.close();
    }
  } finally {
    await lab.stop();
  }
}

const keyOf = (index: number): string =>
  `d${String(Math.floor(index / 500)).padStart(3, "0")}/f${String(index).padStart(5, "0")}.bin`;

async function expectRun(
  ground: ObjectGround,
  codes: readonly number[],
  what = "a run",
): Promise<void> {
  const running = startLcops(["backup", "run"], {
    environment: ground.environment,
    timeoutMs: 600_000,
  });
  const { code, stderr } = await running.ended;
  if (!codes.includes(code ?? -1)) throw new Error(`${what}: ended with ${code}: ${stderr}`);
}

/** The catalog is the source, object by object, and the copy has all of it; what it has beyond is named as missing. */
async function expectExact(ground: ObjectGround): Promise<void> {
  const source = await ground.list(ground.source);
  const copy = await ground.list(ground.copy);
  const lines = ground.catalog();
  const there = lines.filter(({ missing }) => missing === undefined);
  if (there.length !== source.size)
    throw new Error(`the catalog has ${there.length} objects, the source ${source.size}`);
  if (lines.length !== copy.size)
    throw new Error(`the catalog has ${lines.length} objects, the copy ${copy.size}`);
  for (const { key, size, etag, missing, copy: stored } of lines) {
    const [live, copied] = [source.get(key), copy.get(`copy/${key}`)];
    const isLive = missing !== undefined || live === `${size} ${etag}`;
    if (!isLive || copied !== `${size} ${stored.etag ?? etag}`)
      throw new Error(
        `${key}: the catalog says ${size} ${etag}, the source ${live}, the copy ${copied}`,
      );
  }
}
