import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { isPassing } from "../../../src/services/dynamodb/explain-dynamodb-error.ts";
import { makePagePool } from "../../../src/services/dynamodb/page-pool.ts";
import { readBody } from "../../../src/services/dynamodb/read-body.ts";

test.each([
  ["into memory of its own", undefined],
  ["into that of a pool", makePagePool()],
])(
  "an answer that stalls in its middle is given up, and asked for again: %s",
  async (_how, pool) => {
    const body = new PassThrough();
    body.write("half of ");
    const failure: unknown = await readBody(
      { headers: { "content-length": "16" }, body },
      pool,
      50,
    ).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: "TimeoutError" });
    expect(isPassing(failure)).toBe(true);
    expect(body.destroyed).toBe(true);
  },
);

test("an answer that comes slowly is whole", async () => {
  const body = new PassThrough();
  const read = readBody({ headers: {}, body }, undefined, 1000);
  for (const piece of ["a", "b", "c", "d"]) {
    body.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  body.end();
  expect((await read).toString()).toBe("abcd");
});

test("an answer whose connection is closed is no answer", async () => {
  const body = new PassThrough();
  body.write("a");
  body.destroy();
  await expect(readBody({ headers: {}, body })).rejects.toThrow("aborted");
});
