import { describe, expect, test } from "vitest";
import { carryOutFlush } from "../../../src/commands/redis/carry-out-flush.ts";
import type { FlushWish } from "../../../src/commands/redis/flush-wish.ts";
import type { Reply } from "../../../src/services/redis/reply-reader.ts";
import { RedisFailure } from "../../../src/services/redis/reply-reader.ts";
import { OperatorError } from "../../../src/system/errors.ts";
import { exitCodeOf, StopSignal } from "../../../src/cli/exit-code-of.ts";
import { makeFakeContext, PIPED } from "../../support/fake-context.ts";
import { makeFakeRedis, OPEN_REDIS, REDIS_INFO } from "../../support/fake-redis.ts";

const AFTER = "redis_version:7.0.15\r\nused_memory:1000000\r\n";
const ALL: FlushWish = { kind: "all" };
const DATABASE: FlushWish = { kind: "database" };

/** Flushes a Redis that answers EXEC so, and returns everything that is told. */
async function flush(
  wish: FlushWish,
  exec: () => Reply,
  { json = true, after = AFTER, signal = new AbortController().signal } = {},
) {
  const { client } = makeFakeRedis(([command]) => {
    if (command === "EXEC") return exec();
    return command === "INFO" ? Buffer.from(after) : "QUEUED";
  });
  const journal: unknown[] = [];
  const { context, out, err } = makeFakeContext(
    {
      signal,
      journal: (change) => {
        journal.push(change);
        return Promise.resolve({
          id: "3f9a1c22",
          end: (outcome) => Promise.resolve(void journal.push(outcome)),
        });
      },
    },
    { ...PIPED, flags: { json, verbose: true } },
  );
  const code = await carryOutFlush(client, OPEN_REDIS, wish, REDIS_INFO, context).catch(
    (error: unknown) => exitCodeOf(error),
  );
  return { code, out: out(), err: err(), journal };
}

describe("a flush that is done", () => {
  test("is in the journal, and tells how many keys are removed", async () => {
    const { code, out, journal } = await flush(DATABASE, () => [200_000, "OK", 0]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      service: "cache",
      mode: "database",
      removed: 200_000,
      left: 0,
      usedBytesBefore: 12_300_000,
      usedBytesAfter: 1_000_000,
      tookMs: expect.any(Number) as number,
      journal: "3f9a1c22",
    });
    expect(journal).toEqual([
      { change: "flush database 0 of cache, 127.0.0.1:6379 directly" },
      { state: "done", detail: "200000 keys removed, none left" },
    ]);
  });

  test("is a line for people", async () => {
    const { err } = await flush(DATABASE, () => [1, "OK", 0], { json: false });
    expect(err).toMatch(
      /^cache: 1 key removed, none is left; memory 12\.3 MB → 1\.0 MB; \d+\.\d s$/m,
    );
  });

  test("names what is written meanwhile, in its own database only", async () => {
    const after = `${AFTER}db0:keys=2,expires=0\r\ndb3:keys=5,expires=0\r\n`;
    const one = await flush(DATABASE, () => [9, "OK", 0], { after });
    expect(JSON.parse(one.out)).toMatchObject({ left: 2 });
    expect(one.journal.at(-1)).toEqual({
      state: "done",
      detail: "9 keys removed, 2 there now, written meanwhile",
    });
    const counted = Buffer.from("db0:keys=9,expires=0\r\n");
    const all = await flush(ALL, () => [counted, "OK", Buffer.from("")], { after });
    expect(all.code).toBe(0);
    expect(JSON.parse(all.out)).toMatchObject({ removed: 9, left: 7 });
  });
});

describe("a flush that is not done", () => {
  test("has failed where the server refuses it: nothing was removed", async () => {
    const { code, out, journal } = await flush(DATABASE, () => [
      9,
      new RedisFailure("NOPERM this user has no permissions to run the 'flushdb' command"),
      9,
    ]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(journal.at(-1)).toMatchObject({ state: "failed" });
  });

  test.each<[string, () => Reply]>([
    ["is not understood", () => [null, "OK", 0]],
    [
      "is lost",
      () => {
        throw new OperatorError("unreachable", "cache: the connection is lost");
      },
    ],
    [
      "breaks off",
      () => {
        throw new Error("reset");
      },
    ],
  ])("is unknown where the answer %s", async (_what, exec) => {
    const { code, out, err, journal } = await flush(DATABASE, exec);
    expect(code).toBe(3);
    expect(JSON.parse(out)).toEqual({
      service: "cache",
      mode: "database",
      removedAtLeast: 0,
      left: null,
      journal: "3f9a1c22",
    });
    expect(err).toMatch(
      /; what is removed is not known; run it again, it goes on with what is left$/m,
    );
    expect(journal.at(-1)).toMatchObject({
      state: "unknown",
      detail: expect.stringMatching(/^at least 0 keys removed: /) as string,
    });
  });

  test("is unknown where the server has kept keys after it removed some", async () => {
    const { code, err, journal } = await flush(DATABASE, () => [9, "OK", 4]);
    expect(code).toBe(3);
    expect(err).toContain(
      "lcops: cache has kept 4 keys in its flush; at least 9 keys removed, the rest is not known; run it again",
    );
    expect(journal.at(-1)).toMatchObject({ state: "unknown" });
  });

  test("ends with the code of the signal where it is stopped, and tells what is known", async () => {
    const stop = new AbortController();
    const { code, err, journal } = await flush(
      DATABASE,
      () => {
        stop.abort(new StopSignal("SIGINT"));
        throw stop.signal.reason;
      },
      { json: false, signal: stop.signal },
    );
    expect(code).toBe(130);
    expect(err).toMatch(/^lcops: cache: stopped; what is removed is not known; /m);
    expect(journal.at(-1)).toMatchObject({ state: "unknown" });
  });
});
