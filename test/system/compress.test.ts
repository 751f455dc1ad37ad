import { execFileSync, spawnSync } from "node:child_process";
import { buffer } from "node:stream/consumers";
import zlib, { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  compress,
  compressionOf,
  compressPiece,
  decompress,
  type Compression,
} from "../../src/system/compress.ts";
import { OperatorError } from "../../src/system/errors.ts";

const { signal } = new AbortController();
const hasProgram = spawnSync("zstd", ["--version"]).status === 0;
const hasOwn = "createZstdCompress" in zlib;
const WITHOUT = { signal, environment: { PATH: "/nowhere" } };
const plain = Buffer.from("a line of a dump\n".repeat(200_000));

async function* pieces(bytes: Buffer): AsyncIterable<Buffer> {
  for (let at = 0; at < bytes.length; at += 100_000)
    yield await Promise.resolve(bytes.subarray(at, at + 100_000));
}

describe.each<Compression>(["none", "gzip", "zstd"])("%s", (compression) => {
  test.skipIf(compression === "zstd" && !hasProgram && !hasOwn)(
    "gives back the bytes that it was given, also of several wholes after one another and of none",
    async () => {
      const open = (bytes: Buffer): Promise<Buffer> =>
        buffer(decompress(pieces(bytes), compression, { signal }));
      const packed = await buffer(compress(pieces(plain), compression, { signal }));
      if (compression !== "none") expect(packed.length).toBeLessThan(plain.length / 10);
      expect((await open(packed)).equals(plain)).toBe(true);
      const two = await Promise.all(
        ["one\n", "two\n"].map((text) => compressPiece(Buffer.from(text), compression, { signal })),
      );
      expect((await open(Buffer.concat(two))).toString()).toBe("one\ntwo\n");
      const none = await compressPiece(Buffer.alloc(0), compression, { signal });
      expect((await open(none)).length).toBe(0);
    },
  );

  test.skipIf(compression === "none" || (compression === "zstd" && !hasProgram && !hasOwn))(
    "throws where the bytes are cut off or are none of it",
    async () => {
      const packed = await compressPiece(plain, compression, { signal });
      for (const bytes of [packed.subarray(0, packed.length - 9), Buffer.from("plain text")])
        await expect(buffer(decompress(pieces(bytes), compression, { signal }))).rejects.toThrow();
    },
  );

  test("throws what its content throws", async () => {
    async function* broken(): AsyncIterable<Buffer> {
      yield plain;
      throw await Promise.resolve(new OperatorError("missing", "gone"));
    }
    await expect(buffer(compress(broken(), compression, { signal }))).rejects.toThrow("gone");
  });

  test("asks for no more than it can pass on", async () => {
    let asked = 0;
    async function* endless(): AsyncIterable<Buffer> {
      for (;;) {
        asked++;
        yield await Promise.resolve(Buffer.from(crypto.getRandomValues(new Uint8Array(65_536))));
      }
    }
    const packed = compress(endless(), compression, { signal });
    await packed.next();
    for (let turn = 0; turn < 10_000; turn++) await new Promise((resolve) => setImmediate(resolve));
    await packed.return();
    // zstd itself holds some 13 MB of what cannot be compressed.
    expect(asked).toBeLessThan(400);
  });
});

test.skipIf(!hasProgram)("the program reads what is compressed as a piece", async () => {
  const packed = await compressPiece(plain, "zstd", { signal });
  expect(execFileSync("zstd", ["-qdc"], { input: packed, maxBuffer: 1e9 }).equals(plain)).toBe(
    true,
  );
  expect(gunzipSync(await compressPiece(plain, "gzip", { signal })).equals(plain)).toBe(true);
  expect((await buffer(decompress(pieces(gzipSync(plain)), "gzip", { signal }))).length).toBe(
    plain.length,
  );
});

test.skipIf(!hasOwn)("without the program Node's own zstd writes the same", async () => {
  const packed = await buffer(compress(pieces(plain), "zstd", WITHOUT));
  expect((await buffer(decompress(pieces(packed), "zstd", { signal }))).equals(plain)).toBe(true);
});

test.skipIf(!hasProgram && !hasOwn)(
  "without the program Node's own zstd reads all wholes, or none: a part never passes for all",
  async () => {
    const packed = await compressPiece(plain, "zstd", { signal });
    const missing = new OperatorError("missing", "the set is packed");
    const read = (bytes: Buffer): Promise<Buffer | OperatorError> =>
      buffer(decompress(pieces(bytes), "zstd", { ...WITHOUT, missing })).catch(
        (error: unknown) => error as OperatorError,
      );
    const two = await read(Buffer.concat([packed, packed]));
    if (two === missing) expect(process.version).toMatch(/^v2[0-3]\./);
    else expect(two).toHaveLength(2 * plain.length);
    expect(await read(packed.subarray(0, packed.length - 9))).toBeInstanceOf(Error);
  },
);

test.skipIf(hasOwn)("where neither is there the error names the program", async () => {
  await expect(buffer(compress(pieces(plain), "zstd", WITHOUT))).rejects.toMatchObject({
    kind: "missing",
    message: "the program zstd is not installed",
  });
});

test("the name of a file says how it is compressed", () => {
  expect(["t.json", "t.json.GZ", "t.zst", "t.zstd"].map(compressionOf)).toEqual([
    "none",
    "gzip",
    "zstd",
    "zstd",
  ]);
});
