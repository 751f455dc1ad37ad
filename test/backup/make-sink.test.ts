import pLimit from "p-limit";
import { expect, test } from "vitest";
import { makeSink } from "../../src/backup/make-sink.ts";
import type { Store } from "../../src/backup/store.ts";
import { onePiece } from "../../src/system/one-piece.ts";

test("what is being written already is read at once, whoever else holds the room", async () => {
  const stored: string[] = [];
  const store = {
    write: async (key: string, content: AsyncIterable<Uint8Array>) => {
      for await (const _ of content) continue;
      stored.push(key);
    },
  } as unknown as Store;
  const sink = makeSink({
    targets: [{ store }],
    prefix: "",
    encoder: { steps: [], suffix: "", programs: [], encode: (content) => content },
    limit: pLimit(1),
    passed: () => undefined,
    signal: new AbortController().signal,
  });
  const part = { object: "x", role: "table", seq: 0 };
  let end: () => void = () => undefined;
  const slow = sink.write(
    { ...part, path: "slow" },
    (async function* () {
      yield Buffer.from("x");
      await new Promise<void>((resolve) => (end = resolve));
    })(),
  );
  const waiting = sink.write({ ...part, path: "waiting" }, onePiece("x"));
  await sink.write({ ...part, path: "running" }, onePiece("x"), { isRunning: true });
  expect(stored).toEqual(["running"]);
  end();
  await Promise.all([slow, waiting]);
  expect(stored).toEqual(["running", "slow", "waiting"]);
});
