import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readDump } from "../../../src/services/dynamodb/read-dump.ts";

describe("a dump that is read", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "lcops-read-dump-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const read = async (name: string, signal: AbortSignal, onItem: () => void = () => undefined) => {
    const source = { parts: [{ path: path.join(folder, name) }], itemFormat: "dynamodb" as const };
    for await (const _line of readDump(source, signal)) onItem();
  };

  // A promise that never settles would end the program in its middle, as if all were done.
  test.each(["long.json", "long.json.gz"])(
    "stops in the middle of %s when it is told to",
    async (name) => {
      const lines = Array.from(
        { length: 20_000 },
        () => `{"Item":{"id":{"S":"${randomBytes(60).toString("base64")}"}}}\n`,
      ).join("");
      writeFileSync(path.join(folder, name), name.endsWith(".gz") ? gzipSync(lines) : lines);
      const stop = new AbortController();
      let items = 0;
      const reading = read(name, stop.signal, () => {
        if (++items === 10) stop.abort(new Error("enough"));
      });
      await expect(reading).rejects.toThrow(/aborted|enough/);
      expect(items).toBeLessThan(20_000);
    },
  );

  test("tells what the disk says, packed or not", async () => {
    for (const name of ["folder.json", "folder.json.gz"]) {
      mkdirSync(path.join(folder, name));
      await expect(read(name, new AbortController().signal)).rejects.toThrow(
        /cannot be read: EISDIR/,
      );
    }
  });
});
