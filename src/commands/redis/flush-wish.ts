import { OperatorError } from "../../system/errors.ts";

/** What is to be removed. */
export type FlushWish =
  | { kind: "pattern"; pattern: string; database?: number }
  | { kind: "database"; database?: number }
  | { kind: "all"; database?: undefined };

/** Given the options of `redis flush`, return what they wish. Throws `usage` where they wish nothing, or more than one thing. Pure. */
export function readFlushWish(options: Readonly<Record<string, unknown>>): FlushWish {
  const { pattern, db, all } = options;
  if (all === true && (pattern !== undefined || db !== undefined))
    throw refuse("--all is every database, without --pattern and --db", "choose one of them");
  if (all === true) return { kind: "all" };
  const database = typeof db === "string" ? { database: readIndex(db) } : {};
  if (typeof pattern === "string") {
    if (/^\**$/.test(pattern)) {
      throw refuse(
        `--pattern ${pattern === "" ? "''" : pattern} is every key of the database`,
        "use --db, which does it at once",
      );
    }
    return { kind: "pattern", pattern, ...database };
  }
  if (db !== undefined) return { kind: "database", ...database };
  throw refuse(
    "it must be said what to remove",
    "name --pattern GLOB, --db for the whole database, or --all for every database",
  );
}

function readIndex(text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw refuse(`--db ${text} is no number of a database`, "a database has a number from 0");
  return Number(text);
}

function refuse(message: string, next: string): OperatorError {
  return new OperatorError("usage", message, { next });
}
