/** Of a part with a table: what of it is made before its rows, and what behind them, where that is faster. */
export interface Deferred {
  /** The statements without the keys. */
  head: Buffer;
  /** As the statement names it: quoted. */
  table: string;
  /** As SQL has them behind ADD, in their order. */
  keys: string[];
}

const CREATE = /\nCREATE TABLE (`(?:[^`]|``)+`) \(\n/;
const KEY = /^ {2}((?:UNIQUE )?KEY `(?:[^`]|``)+` \(.*\).*?),?$/;
/** Of what is deferred nothing may be of these: they have rules of their own. */
const PARTICULAR =
  /^ {2}(?:CONSTRAINT .* FOREIGN KEY |FULLTEXT |SPATIAL |VECTOR |PERIOD )|USING HASH|WITHOUT OVERLAPS/;

/** Whether the statement that makes the table has come whole. Pure. */
export const hasCreate = (head: Buffer): boolean => head.includes("\n) ENGINE=");

/**
 * Given the beginning of a part, up to the statement that makes its table at least, take the secondary keys out of it: built once over all rows they cost
 * less than row by row. Undefined where there are none, or the table is one that must have them: what refers to others by a
 * foreign key, or counts by another key than its primary one. Bytes are kept whatever their character set. Pure.
 */
export function deferKeys(head: Buffer): Deferred | undefined {
  const text = head.toString("latin1");
  const create = CREATE.exec(text);
  const end = text.indexOf("\n) ENGINE=InnoDB", create?.index);
  const [statement = "", table = ""] = create ?? [];
  if (!create || end === -1) return undefined;
  const begin = create.index + statement.length;
  const lines = text.slice(begin, end).split("\n");
  const options = text.slice(end, text.indexOf(";\n", end));
  const isPlain = lines.every(
    // A name may have a line break of its own.
    (line) => (line.match(/`/g) ?? []).length % 2 === 0 && !PARTICULAR.test(line),
  );
  if (!isPlain || /SYSTEM VERSIONING/.test(options) || !countsByPrimary(lines)) return undefined;
  const keys = lines.flatMap((line) => KEY.exec(line)?.[1] ?? []);
  if (keys.length === 0) return undefined;
  const kept = lines.filter((line) => !KEY.test(line));
  const body = kept.join("\n").replace(/,$/, "");
  return {
    head: Buffer.from(text.slice(0, begin) + body + text.slice(end), "latin1"),
    table,
    keys,
  };
}

/** Without a primary key a unique one may be what the rows are kept by; and what counts up must be the first of a key. */
function countsByPrimary(lines: readonly string[]): boolean {
  const primary = /^ {2}PRIMARY KEY \((`(?:[^`]|``)+`)/.exec(
    lines.find((line) => line.startsWith("  PRIMARY KEY (")) ?? "",
  )?.[1];
  const counting = lines.find((line) => / AUTO_INCREMENT\b/.test(line));
  return primary !== undefined && (counting === undefined || counting.startsWith(`  ${primary} `));
}

/** Given what was taken out, return the statement that adds it. Pure. */
export function addKeys({ table, keys }: Pick<Deferred, "table" | "keys">): Buffer {
  const added = keys.map((key) => `ADD ${key}`).join(",\n  ");
  return Buffer.from(`\nALTER TABLE ${table}\n  ${added};\n`, "latin1");
}
