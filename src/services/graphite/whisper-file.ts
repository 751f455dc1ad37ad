import { countOf } from "../../system/quantities.ts";
/** The format of whisper 1.1, whisper.py: all numbers are big-endian. */
const METADATA_BYTES = 16;
const ARCHIVE_BYTES = 12;
const POINT_BYTES = 12;
/** What is more than any real file has: its header is then something else. */
const MOST_ARCHIVES = 64;

/** What the bytes of a whisper file have told. */
export interface WhisperFacts {
  bytes: number;
  /** Points that were ever written: those with a time. */
  points: number;
  /** Why it is no whole whisper file; undefined where it is one. */
  problem?: string;
}

/** Reads a whisper file as its bytes come by. */
export interface WhisperReader {
  add(chunk: Buffer): void;
  end(): WhisperFacts;
}

/** Return a reader of one file; it keeps its header and no more. */
export function readWhisper(): WhisperReader {
  let header = Buffer.alloc(0);
  let archives: number | undefined;
  let expectedBytes: number | undefined;
  let problem: string | undefined;
  let bytes = 0;
  let points = 0;
  /** Of a point that a chunk has cut: its bytes so far. */
  let rest = Buffer.alloc(0);

  const readHeader = (): void => {
    if (archives === undefined && header.length >= METADATA_BYTES) {
      archives = header.readUInt32BE(12);
      if (archives === 0 || archives > MOST_ARCHIVES)
        problem = `its header states ${countOf(archives, "archive")}`;
    }
    if (archives === undefined || problem !== undefined) return;
    if (header.length < METADATA_BYTES + archives * ARCHIVE_BYTES) return;
    let offset = METADATA_BYTES + archives * ARCHIVE_BYTES;
    for (let index = 0; index < archives; index++) {
      const at = METADATA_BYTES + index * ARCHIVE_BYTES;
      if (header.readUInt32BE(at) !== offset)
        problem ??= `its archive ${index} does not stand where its header says`;
      offset += header.readUInt32BE(at + 8) * POINT_BYTES;
    }
    expectedBytes = offset;
  };
  const countPoints = (chunk: Buffer): void => {
    const data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let at = 0;
    for (; at + POINT_BYTES <= data.length; at += POINT_BYTES)
      if (data.readUInt32BE(at) !== 0) points++;
    // A copy: a slice would keep the whole chunk.
    rest = Buffer.from(data.subarray(at));
  };
  return {
    add: (chunk) => {
      bytes += chunk.length;
      if (problem !== undefined) return;
      if (expectedBytes !== undefined) return countPoints(chunk);
      header = Buffer.concat([header, chunk]);
      readHeader();
      if (expectedBytes === undefined || archives === undefined) return;
      countPoints(header.subarray(METADATA_BYTES + archives * ARCHIVE_BYTES));
      header = Buffer.alloc(0);
    },
    end: () => {
      if (problem === undefined && expectedBytes === undefined)
        problem = bytes === 0 ? "it is empty" : "its header is cut off";
      if (problem === undefined && bytes !== expectedBytes)
        problem = `it has ${countOf(bytes, "byte")}, and its header states ${expectedBytes}`;
      return { bytes, points, ...(problem !== undefined && { problem }) };
    },
  };
}
