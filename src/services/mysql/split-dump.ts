import { OperatorError } from "../../system/errors.ts";

/** What stands before each table. A string never has a raw line break in a dump, so no row can look like it. */
const MARKER = Buffer.from("\n--\n-- Table structure for table `");
/** What stands behind the last table. */
const END = Buffer.from("\n/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n");
/** The last line of a dump that is whole. */
const TRAILER = "\n-- Dump completed";
/** What is kept back until the next bytes have come: a marker may be cut in two. */
const KEPT = Math.max(MARKER.length, END.length);

/** Ends the part of each table, so that one that is cut off is told from a whole one. */
export const PART_END = "\n-- lcops: the table is complete\n";

/**
 * Given the dump of tables of one database, in their order, call `take` with each of them: what is set before, the table, its rows and triggers,
 * as one text that restores it alone. Two dumps of the same table give the same bytes, wherever the table stands. `take` must read its text to the end.
 * Throws where another table comes than was asked for, where one is missing, and where the dump is not whole.
 */
export async function splitDump(
  content: AsyncIterable<Buffer>,
  tables: readonly string[],
  take: (table: string, text: AsyncIterable<Buffer>) => Promise<void>,
): Promise<void> {
  const reader = readUntil(content[Symbol.asyncIterator]());
  try {
    const preamble = withoutComments(await collect(reader.until([MARKER])));
    for (const table of tables) {
      if (reader.found() !== MARKER) throw incomplete(`${table} is missing`);
      const text = async function* (): AsyncIterable<Buffer> {
        yield preamble;
        yield MARKER;
        let isFirst = true;
        for await (const chunk of reader.until([MARKER, END])) {
          if (isFirst) checkName(chunk, table);
          isFirst = false;
          yield chunk;
        }
        if (reader.found() === undefined) throw incomplete(`it ends within ${table}`);
        yield Buffer.from(PART_END);
      };
      await take(table, text());
    }
    if (reader.found() !== END) throw incomplete("there is more in it than was asked for");
    const rest = (await collect(reader.until([]))).toString("latin1");
    if (!rest.includes(TRAILER)) throw incomplete("its last line is missing");
  } finally {
    await reader.close();
  }
}

/** Given a dump that is one part, pass it on without what changes from one machine to the next. Throws at its end where it is not whole. */
export async function* passWhole(content: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let tail: Buffer = Buffer.alloc(0);
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of content) {
    tail = Buffer.concat([tail, chunk]).subarray(-256);
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const at = head.indexOf("\n\n--\n-- ", 64);
    if (at === -1 && head.length < 64 * 1024) continue;
    yield withoutComments(head.subarray(0, Math.max(0, at)));
    yield head.subarray(Math.max(0, at));
    head = undefined;
  }
  if (head !== undefined) yield withoutComments(head);
  if (!tail.toString("latin1").includes(TRAILER.trim()))
    throw incomplete("its last line is missing");
}

function incomplete(why: string): OperatorError {
  return new OperatorError("failed", `the dump is not whole: ${why}`, {
    next: "a table may have been altered meanwhile; run it again",
  });
}

/** Backticks are doubled, line breaks made visible (mysqldump.c, fix_identifier_with_newline). */
function checkName(chunk: Buffer, table: string): void {
  const expected = `${table.replaceAll("`", "``").replaceAll("\n", "\\n")}\``;
  const shown = chunk.subarray(0, Buffer.byteLength(expected)).toString("utf8");
  if (shown !== expected) throw incomplete(`${table} was expected, and ${shown} came`);
}

/** Of the head: it names the machine, and the moment in some versions. */
function withoutComments(head: Buffer): Buffer {
  const lines = head.toString("latin1").split("\n");
  const kept = lines.filter((line) => !line.startsWith("--"));
  return Buffer.from(kept.join("\n"), "latin1");
}

async function collect(content: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

interface Reader {
  /** The bytes up to the first of the marks, which is taken away too; to the end where none comes. */
  until(marks: readonly Buffer[]): AsyncIterable<Buffer>;
  /** At which mark the last one ended; undefined at the end of all. */
  found(): Buffer | undefined;
  close(): Promise<void>;
}

function readUntil(source: AsyncIterator<Buffer, void>): Reader {
  let held: Buffer = Buffer.alloc(0);
  let isOver = false;
  let found: Buffer | undefined;
  const more = async (): Promise<void> => {
    const { done, value } = await source.next();
    if (done) isOver = true;
    else held = held.length === 0 ? value : Buffer.concat([held, value]);
  };
  return {
    until: async function* (marks) {
      found = undefined;
      for (;;) {
        const hits = marks
          .map((mark) => ({ mark, at: held.indexOf(mark) }))
          .filter(({ at }) => at !== -1)
          .toSorted((one, other) => one.at - other.at);
        const [hit] = hits;
        if (hit) {
          found = hit.mark;
          const before = held.subarray(0, hit.at);
          held = held.subarray(hit.at + hit.mark.length);
          if (before.length > 0) yield before;
          return;
        }
        if (isOver) {
          const rest = held;
          held = Buffer.alloc(0);
          if (rest.length > 0) yield rest;
          return;
        }
        if (held.length > KEPT) {
          const ready = held.subarray(0, held.length - KEPT);
          held = held.subarray(held.length - KEPT);
          yield ready;
        }
        await more();
      }
    },
    found: () => found,
    close: async () => {
      await source.return?.();
    },
  };
}
