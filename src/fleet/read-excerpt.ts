import { open } from "node:fs/promises";
import type { LoggedOutput } from "./output-log.ts";

/** What is shown of an output. */
export interface Excerpt {
  head: Buffer;
  /** Empty where the head is all of it. */
  tail: Buffer;
  /** Left out between the two. */
  cutBytes: number;
}

/** Given a logged output and how much of it is shown, return that: its beginning and its end, half of it each, where there is more. */
export async function readExcerpt(
  { path, bytes }: LoggedOutput,
  shownBytes: number,
): Promise<Excerpt> {
  const isWhole = bytes <= shownBytes;
  const half = Math.floor(shownBytes / 2);
  const file = await open(path, "r");
  const read = async (from: number, length: number): Promise<Buffer> => {
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await file.read(buffer, 0, length, from);
    return buffer.subarray(0, bytesRead);
  };
  try {
    const head = await read(0, isWhole ? bytes : half);
    const tail = isWhole ? Buffer.alloc(0) : await read(bytes - half, half);
    return { head, tail, cutBytes: bytes - head.length - tail.length };
  } finally {
    await file.close();
  }
}
