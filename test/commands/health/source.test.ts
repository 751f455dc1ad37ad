import { describe, expect, test } from "vitest";
import {
  askWithin,
  judgeAbsence,
  readSource,
  type Source,
  unknownOf,
} from "../../../src/commands/health/source.ts";
import { OperatorError } from "../../../src/system/errors.ts";

const { signal } = new AbortController();
const source = (read: Source["read"], limitMs = 10_000): Source => ({
  area: "mysql",
  name: "school",
  limitMs,
  everyMs: 1,
  read,
});

describe("a source", () => {
  test("says what it says", async () => {
    const readings = [{ area: "mysql", name: "school", state: "ok" as const, detail: "well" }];
    expect(
      await readSource(
        source(() => Promise.resolve(readings)),
        signal,
      ),
    ).toEqual(readings);
  });

  test("that fails is unknown, with its details in one line and what to do", async () => {
    const error = new OperatorError("access", "no login", { next: "mend it", details: ["a", "b"] });
    expect(
      await readSource(
        source(() => Promise.reject(error)),
        signal,
      ),
    ).toEqual([
      {
        area: "mysql",
        name: "school",
        state: "unknown",
        detail: "no login; a; b",
        next: "mend it",
      },
    ]);
    expect(unknownOf({ area: "a", name: "b" }, new Error("x"))).toEqual({
      area: "a",
      name: "b",
      state: "unknown",
      detail: "x",
    });
  });

  test("that does not answer in time is given up, and told so", async () => {
    let heard: AbortSignal | undefined;
    const silent = source((limit) => {
      heard = limit;
      return new Promise(() => undefined);
    }, 1);
    expect(await readSource(silent, signal)).toMatchObject([
      { state: "unknown", detail: "no answer within 0.001 s" },
    ]);
    expect(heard?.aborted).toBe(true);
  });

  test("throws nothing but the reason of a stop", async () => {
    const stop = new AbortController();
    const waiting = readSource(
      source(() => new Promise(() => undefined)),
      stop.signal,
    );
    stop.abort(new Error("stopped"));
    await expect(waiting).rejects.toThrow("stopped");
    await expect(askWithin(1, stop.signal, () => Promise.resolve(1))).rejects.toThrow("stopped");
  });
});

describe("judgeAbsence", () => {
  test("returns fail for an unreachable service", () => {
    const gone = new OperatorError("unreachable", "refused", { next: "start it" });
    expect(judgeAbsence("redis", "cache", gone)).toEqual([
      { area: "redis", name: "cache", state: "fail", detail: "refused", next: "start it" },
    ]);
  });

  test.each([new OperatorError("access", "no login"), new Error("a fault"), "thrown"])(
    "rethrows any other error: %s",
    (error) => {
      let thrown: unknown;
      try {
        judgeAbsence("redis", "cache", error);
      } catch (caught) {
        thrown = caught;
      }
      expect(thrown).toBe(error);
    },
  );
});
