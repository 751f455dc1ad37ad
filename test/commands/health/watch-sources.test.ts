import { expect, test } from "vitest";
import type { Source } from "../../../src/commands/health/source.ts";
import { watchSources } from "../../../src/commands/health/watch-sources.ts";
import type { Reading } from "../../../src/system/reading.ts";

const well = (name: string): Reading => ({ area: "http", name, state: "ok", detail: "200" });
const make = (name: string, read: Source["read"], limitMs = 10_000): Source => ({
  area: "http",
  name,
  limitMs,
  everyMs: 5,
  read,
});

test("each source is asked again at its own pace, none twice at once, and a slow one holds nobody up", async () => {
  const leaving = new AbortController();
  const asked = { quick: 0, slow: 0 };
  let under = 0;
  let most = 0;
  let release = (): void => undefined;
  const quick = make("quick", async () => {
    most = Math.max(most, ++under);
    await new Promise((resolve) => setTimeout(resolve, 2));
    under--;
    asked.quick++;
    return [well("quick")];
  });
  const slow = make("slow", async () => {
    asked.slow++;
    await new Promise<void>((resolve) => (release = resolve));
    return [well("slow")];
  });
  await new Promise<void>((resolve) => {
    const watched = watchSources([slow, quick], leaving.signal, () => {
      if (asked.quick < 5) return;
      expect(watched.readings(Date.now()).map(({ name }) => name)).toEqual(["quick"]);
      expect(watched.awaited()).toEqual([slow]);
      resolve();
    });
  });
  expect(asked.slow).toBe(1);
  expect(most).toBe(1);
  release();
  leaving.abort();
  const { quick: asTold } = asked;
  await new Promise((resolve) => setTimeout(resolve, 30));
  // One may have been under way.
  expect(asked.quick - asTold).toBeLessThanOrEqual(1);
});

test("a source that stops answering does not stay green, and comes back", async () => {
  const leaving = new AbortController();
  let isDead = false;
  let hears: AbortSignal | undefined;
  const source = make(
    "api",
    async (signal) => {
      hears = signal;
      if (isDead) await new Promise(() => undefined);
      return [well("api")];
    },
    20,
  );
  const states: string[] = [];
  let tell = (_state: string): void => undefined;
  watchSources([source], leaving.signal, ([reading]) => {
    states.push(reading?.state ?? "none");
    tell(reading?.state ?? "none");
  });
  const until = (wanted: string): Promise<void> =>
    new Promise((resolve) => {
      tell = (state) => state === wanted && resolve();
    });
  await until("ok");
  isDead = true;
  await until("unknown");
  expect(hears?.aborted).toBe(true);
  isDead = false;
  await until("ok");
  leaving.abort();
});
