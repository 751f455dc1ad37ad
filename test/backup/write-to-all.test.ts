import { expect, test } from "vitest";
import { type Target, writeToAll } from "../../src/backup/make-sink.ts";
import type { Store } from "../../src/backup/store.ts";
import { onePiece } from "../../src/system/one-piece.ts";

/** A store in memory; what could not be written whole is taken back once `cleanUp` resolves. */
function makeStore(name: Store["name"], cleanUp: Promise<void>) {
  const kept = new Map<string, string>();
  const store: Store = {
    name,
    place: name,
    write: async (key, content) => {
      const chunks: Uint8Array[] = [];
      try {
        for await (const chunk of content) chunks.push(chunk);
      } catch (error) {
        await cleanUp;
        throw error;
      }
      kept.set(key, Buffer.concat(chunks).toString());
    },
    create: () => Promise.reject(new Error("not asked for")),
    list: () => {
      throw new Error("not asked for");
    },
    read: () => {
      throw new Error("not asked for");
    },
    remove: () => Promise.reject(new Error("not asked for")),
    sweep: () => Promise.resolve(0),
    close: () => undefined,
  };
  return { store, kept };
}

async function* breaking(): AsyncIterable<Uint8Array> {
  yield Buffer.from("half");
  throw new Error("the table is gone");
}

test("a part whose source fails keeps no other part from any destination, however long it takes to take it back", async () => {
  let finish = (): void => undefined;
  const quick = makeStore("server", Promise.resolve());
  const slow = makeStore("operator", new Promise<void>((resolve) => (finish = resolve)));
  const targets: Target[] = [{ store: quick.store }, { store: slow.store }];
  const failing = writeToAll(targets, "broken", breaking());
  failing.catch(() => undefined);
  // The quick one has given it up by then, the slow one not.
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  await writeToAll(targets, "whole", onePiece(Buffer.from("bytes")));
  finish();
  await expect(failing).rejects.toThrow("the table is gone");
  expect([...quick.kept]).toEqual([["whole", "bytes"]]);
  expect([...slow.kept]).toEqual([["whole", "bytes"]]);
  expect(targets.map(({ failure }) => failure)).toEqual([undefined, undefined]);
});
