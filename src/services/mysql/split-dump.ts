import { OperatorError } from "../../system/errors.ts";

/** What stands before each table. A string never has a raw line break in a dump, so no row can look like it. */
export const TABLE_MARK: Buffer = Buffer.from("\n--\n-- Table structure for table `");
/** What stands before its rows: the first of it where no structure was asked for. */
export const ROWS_MARK: Buffer = Buffer.from("\n--\n-- Dumping data for table `");
/** What stands behind the last table. */
const END: Buffer = Buffer.from("\n/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n");
/** The last line of a dump that is whole. */
const TRAILER = "\n-- Dump completed";
/** A mark may be cut in two by the bytes that come at once: no more than this is to be waited for. */
const KEPT = Math.max(TABLE_MARK.length, ROWS_MARK.length, END.length);

/** Ends the part of each table, so that one that is cut off is told from a whole one. */
export const PART_END = "\n-- lcops: the table is complete\n";

/**
 * Given the dump of tables of one database, in their order, call `take` with each of them: what is set before, the table, its rows and triggers,
 * as one text that restores it alone. Two dumps of the same table give the same bytes, wherever the table stands. `take` must read its text to the end.
 * `mark` is what each begins with, and `before` what its text has ahead of it. Throws where another table comes than was asked for, where one is missing, and where the dump is not whole.
 */
export async function splitDump(
  content: AsyncIterable<Buffer>,
  tables: readonly string[],
  take: (table: string, text: AsyncIterable<Buffer>) => Promise<void>,
  { mark, before }: { mark: Buffer; before: string } = { mark: TABLE_MARK, before: "" },
): Promise<void> {
  const reader = readUntil(content[Symbol.asyncIterator]());
  try {
    const preamble = withoutComments(await collect(reader.until([mark])));
    for (const table of tables) {
      if (reader.found() !== mark) throw incomplete(`${table} is missing`);
      const text = async function* (): AsyncIterable<Buffer> {
        yield Buffer.concat([preamble, Buffer.from(`\n${before}`), mark]);
        let isFirst = true;
        for await (const chunk of reader.until([mark, END])) {
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

/** What a dump sets before anything else ends in this. */
const PREAMBLE_END = "SQL_NOTES=0 */;\n";

/** Given the dump of a table's triggers alone, pass it on without what changes from one machine to the next. Throws where it is not whole. */
export async function* passTriggers(content: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const text = await collect(content);
  const at = text.indexOf(PREAMBLE_END) + PREAMBLE_END.length;
  if (!text.includes(TRAILER)) throw incomplete("its last line is missing");
  yield withoutComments(text.subarray(0, at));
  yield text.subarray(at);
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
        const ready = held.subarray(0, findCutMark(held, marks));
        held = held.subarray(ready.length);
        if (ready.length > 0) yield ready;
        await more();
      }
    },
    found: () => found,
    close: async () => {
      await source.return?.();
    },
  };
}

/** Where in the bytes a mark may begin whose rest has not come yet; their length where none does: then nothing is held back, and nothing copied. Pure. */
function findCutMark(bytes: Buffer, marks: readonly Buffer[]): number {
  for (let at = Math.max(0, bytes.length - KEPT + 1); at < bytes.length; at++) {
    const rest = bytes.subarray(at);
    if (
      marks.some((mark) => mark.length > rest.length && mark.subarray(0, rest.length).equals(rest))
    )
      return at;
  }
  return bytes.length;
}
