import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../system/atomic-file.ts";
import type { Progress } from "./compare-databases.ts";
import type { CheckName, CheckReport } from "./report.ts";

/** How far a run has come, so that the next one can go on. */
export interface Bookmark {
  /** Checks that were done to their end. */
  reports: Partial<Record<CheckName, CheckReport>>;
  /** Of the rows of the replica. */
  progress: Progress;
  /** What was found in them until then. */
  partial: CheckReport | undefined;
  keep(check: CheckName, report: CheckReport): Promise<void>;
  /** Write it down now and then: what has been done since the last time is only done again. */
  note(partial: CheckReport): void;
  flush(partial: CheckReport): Promise<void>;
  /** There is nothing left to go on with. */
  remove(): Promise<void>;
}

interface Stored {
  fingerprint: string;
  at: string;
  reports: Bookmark["reports"];
  progress: Progress;
  partial: CheckReport | undefined;
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
  const bookmark: Bookmark = {
    reports: kept?.reports ?? {},
    progress: kept?.progress ?? { done: [] },
    partial: kept?.partial,
    keep: async (check, report) => {
      bookmark.reports[check] = report;
      await write();
    },
    note: (partial) => {
      bookmark.partial = partial;
      if (performance.now() - writtenAt < WRITE_EVERY_MS) return;
      writtenAt = performance.now();
      // The next one says it if it cannot be written.
      write().catch(() => undefined);
    },
    flush: async (partial) => {
      bookmark.partial = partial;
      await write();
    },
    remove: async () => {
      await writing.catch(() => undefined);
      await rm(path, { force: true });
    },
  };
  const write = (): Promise<void> => {
    const stored: Stored = {
      fingerprint,
      at: new Date().toISOString(),
      reports: bookmark.reports,
      progress: bookmark.progress,
      partial: bookmark.partial,
    };
    const text = `${JSON.stringify(stored)}\n`;
    writing = writing.catch(() => undefined).then(() => writeFileAtomically(path, text));
    return writing;
  };
  return bookmark;
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
