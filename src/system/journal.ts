import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, OperatorError } from "./errors.ts";

/** One change that lcops made, as it stands in the journal. */
export interface JournalEntry {
  id: string;
  /** ISO 8601, UTC. */
  at: string;
  /** Who: user@machine. */
  by: string;
  /** The command line, without secrets. */
  command: string;
  /** What was changed, in one line. */
  change: string;
}

/**
 * Given the state folder, return the journal's entries, oldest first; none where nothing was changed yet.
 * Throws `failed` where a line cannot be read, since a journal that hides changes must not look complete.
 */
export async function readJournal(stateFolder: string): Promise<JournalEntry[]> {
  const path = join(stateFolder, "journal.ndjson");
  let content: string;
  try {
    content = await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
  return content
    .split("\n")
    .flatMap((line, index) => (line === "" ? [] : [parseEntry(line, `${path}:${index + 1}`)]));
}

function parseEntry(line: string, place: string): JournalEntry {
  try {
    const entry = JSON.parse(line) as JournalEntry | null;
    if (typeof entry?.id !== "string") throw new Error("it is no entry");
    return entry;
  } catch (error) {
    throw new OperatorError("failed", `the journal is damaged at ${place}`, {
      next: "mend or move that line away, then run the command again",
      cause: error,
    });
  }
}
