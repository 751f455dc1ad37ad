import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Key } from "../services/mysql/hash-rows.ts";
import type { TableColumn } from "../services/mysql/read-structure.ts";
import { writeFileAtomically } from "../system/atomic-file.ts";
import type { CheckName, CheckReport } from "./report.ts";

/** How far a run has come, so that the next one can go on. */
export interface Bookmark {
  /** Checks that were done to their end. */
  reports: Partial<Record<CheckName, CheckReport>>;
  keep(check: CheckName, report: CheckReport): Promise<void>;
  /** Of a check that may be cut off: an empty one where it begins. */
  openPart(check: CheckName): BookmarkPart;
  /** There is nothing left to go on with. */
  remove(): Promise<void>;
}

/** How far one check has come. */
export interface BookmarkPart {
  progress: Progress;
  /** What was found until then. */
  earlier: CheckReport | undefined;
  /** Write it down now and then: what has been done since the last time is only done again. */
  note(partial: CheckReport): void;
  flush(partial: CheckReport): Promise<void>;
}

/** Where a check has come to. */
export interface Progress {
  /** What of it is done: `school.students`. */
  done: string[];
  /** What is under way, up to which key of a table, and of what columns that is. */
  at?: { name: string; key: Key; columns: string };
}

interface Stored {
  fingerprint: string;
  at: string;
  reports: Bookmark["reports"];
  parts: Partial<Record<CheckName, Pick<BookmarkPart, "progress" | "earlier">>>;
}

const WRITE_EVERY_MS = 1_000;
/** What was seen longer ago says nothing of today. */
const OLDEST_MS = 24 * 3_600_000;

/**
 * Given the state folder, the name of a check, what it depends on (its configuration) and whether to go on, return its bookmark: an empty one where there is none
 * that is of the same configuration and of the last day.
 */
export async function openBookmark(
  stateFolder: string,
  name: string,
  subject: unknown,
  resume: boolean,
): Promise<Bookmark> {
  const path = join(stateFolder, "consistency", `${name}.json`);
  const fingerprint = createHash("sha256").update(JSON.stringify(subject)).digest("hex");
  const kept = resume ? await read(path, fingerprint) : undefined;
  let writtenAt = performance.now();
  let writing: Promise<void> = Promise.resolve();
  // Of the run that began it: what was seen first is the oldest.
  const at = kept?.at ?? new Date().toISOString();
  const reports = kept?.reports ?? {};
  const parts = kept?.parts ?? {};
  const write = (): Promise<void> => {
    const stored: Stored = { fingerprint, at, reports, parts };
    const text = `${JSON.stringify(stored)}\n`;
    writing = writing.catch(() => undefined).then(() => writeFileAtomically(path, text));
    return writing;
  };
  return {
    reports,
    keep: async (check, report) => {
      reports[check] = report;
      delete parts[check];
      await write();
    },
    openPart: (check) => {
      const stored = (parts[check] ??= { progress: { done: [] }, earlier: undefined });
      const { progress, earlier } = stored;
      return {
        progress,
        earlier,
        note: (partial) => {
          stored.earlier = partial;
          if (performance.now() - writtenAt < WRITE_EVERY_MS) return;
          writtenAt = performance.now();
          // The next one says it if it cannot be written.
          write().catch(() => undefined);
        },
        flush: async (partial) => {
          stored.earlier = partial;
          await write();
        },
      };
    },
    remove: async () => {
      await writing.catch(() => undefined);
      await rm(path, { force: true });
    },
  };
}

async function read(path: string, fingerprint: string): Promise<Stored | undefined> {
  try {
    const stored = JSON.parse(await readFile(path, "utf8")) as Stored;
    const isOurs = stored.fingerprint === fingerprint;
    return isOurs && Date.now() - Date.parse(stored.at) < OLDEST_MS ? stored : undefined;
  } catch {
    // There is none, or it is none: the run begins from the beginning.
    return undefined;
  }
}

/** A key of columns that were declared otherwise leads anywhere. */
const shapeOf = (columns: readonly TableColumn[]): string =>
  columns.map(({ name, type, collation }) => [name, type, collation].join(" ")).join(", ");

/** Given what is under way, write down up to which key of which columns it is done. */
export function passKey(
  progress: Progress,
  name: string,
  key: Key,
  columns: readonly TableColumn[],
): void {
  progress.at = { name, key, columns: shapeOf(columns) };
}

/** Given what is to be done, return the key up to which it is done already; undefined: it begins with the first row. Pure. */
export function beginOf(
  { at }: Progress,
  name: string,
  columns: readonly TableColumn[],
): Key | undefined {
  return at?.name === name && at.columns === shapeOf(columns) ? at.key : undefined;
}

/** Given what is done to its end, write that down. */
export function passWhole(progress: Progress, name: string): void {
  progress.done.push(name);
  delete progress.at;
}
