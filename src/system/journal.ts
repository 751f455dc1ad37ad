import { randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, readFile } from "node:fs/promises";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { describeError, errorCode, OperatorError } from "./errors.ts";

/** What is to be changed. */
export interface Change {
  /** The command line, without secrets. */
  command: string;
  /** What is changed, in one line. */
  change: string;
  /** What undoes it, as the room that made it understands it; absent: nothing does. */
  undo?: JournalData;
}

/** JSON of a room of its own, which says in `kind` whose it is. */
interface JournalData {
  kind: string;
  [key: string]: unknown;
}

/** How a change ended; `unknown`: nobody could find out whether it was made. */
interface Outcome {
  state: "done" | "failed" | "unknown";
  detail?: string;
  /** What it left, for an undo that must find it still standing. */
  result?: JournalData;
}

/** One change, as it stands in the journal. */
export interface JournalEntry extends Change {
  id: string;
  /** ISO 8601, UTC. */
  at: string;
  /** Who: user@machine. */
  by: string;
  /** Absent: it is being made, or lcops was killed while it was. */
  outcome?: Outcome & { at: string };
}

/** A change that stands in the journal and may now be made. */
export interface ChangeRecord {
  id: string;
  end(outcome: Outcome): Promise<void>;
}

/** Given a change, write it down and return its record; the change is made only then. */
export type Journal = (change: Omit<Change, "command">) => Promise<ChangeRecord>;

const journalPath = (stateFolder: string): string => join(stateFolder, "journal.ndjson");

/**
 * Given the state folder and a change, have it on the disk in the journal and return its record, with which its outcome is
 * written behind it. Throws `failed` where the journal cannot be written: nothing may be changed then. Any number of
 * processes may write at once: a line is one append.
 */
export async function journalChange(stateFolder: string, change: Change): Promise<ChangeRecord> {
  const id = randomBytes(4).toString("hex");
  const by = `${nameUser()}@${hostname()}`;
  await append(stateFolder, { id, at: new Date().toISOString(), by, ...change });
  return {
    id,
    end: (outcome) =>
      append(stateFolder, { outcomeOf: id, at: new Date().toISOString(), ...outcome }),
  };
}

async function append(stateFolder: string, line: object): Promise<void> {
  const path = journalPath(stateFolder);
  try {
    await mkdir(stateFolder, { recursive: true, mode: 0o700 });
    const file = await open(path, "a+", 0o600);
    try {
      const size = (await file.stat()).size;
      // A line that its writer could not end is ended, and said to be torn: its change was never begun.
      const before = (await endsTorn(file, size)) ? '\n{"torn":true}\n' : "";
      const bytes = Buffer.from(`${before}${JSON.stringify(line)}\n`);
      const { bytesWritten } = await file.write(bytes);
      if (bytesWritten !== bytes.length) throw new Error("the disk is full");
      await file.sync();
    } finally {
      await file.close();
    }
    const folder = await open(stateFolder, "r");
    await folder.sync().finally(() => folder.close());
  } catch (error) {
    throw new OperatorError(
      "failed",
      `the journal ${path} cannot be written: ${describeError(error)}`,
      { next: "mend that; nothing is changed without it", cause: error },
    );
  }
}

async function endsTorn(file: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return false;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== 0x0a;
}

function nameUser(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "");
  }
}

/**
 * Given the state folder, return the journal's entries, oldest first; none where nothing was changed yet.
 * A line that a killed writer left torn is passed over, since its change was never begun. Throws `failed` where any other
 * cannot be read: a journal that hides changes must not look complete.
 */
export async function readJournal(stateFolder: string): Promise<JournalEntry[]> {
  const path = journalPath(stateFolder);
  let content: string;
  try {
    content = await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
  const lines = content.split("\n");
  const entries = new Map<string, JournalEntry>();
  for (const [index, line] of lines.entries()) {
    const isTorn = index === lines.length - 1 || lines[index + 1] === '{"torn":true}';
    const parsed = line === "" ? undefined : parseLine(line);
    if (parsed === undefined) {
      if (line !== "" && !isTorn) throw damagedAt(`${path}:${index + 1}`);
    } else if ("outcomeOf" in parsed) {
      const { outcomeOf, ...outcome } = parsed;
      const entry = entries.get(outcomeOf);
      if (!entry) throw damagedAt(`${path}:${index + 1}`);
      entry.outcome = outcome;
    } else if ("id" in parsed) entries.set(parsed.id, parsed);
  }
  return [...entries.values()];
}

type OutcomeLine = Outcome & { outcomeOf: string; at: string };

/** Undefined where the line is none of the journal's. */
function parseLine(line: string): JournalEntry | OutcomeLine | { torn: true } | undefined {
  try {
    const parsed = JSON.parse(line) as Record<string, unknown> | null;
    const isOurs =
      typeof parsed?.["id"] === "string" ||
      typeof parsed?.["outcomeOf"] === "string" ||
      parsed?.["torn"] === true;
    return isOurs ? (parsed as never) : undefined;
  } catch {
    return undefined;
  }
}

function damagedAt(place: string): OperatorError {
  return new OperatorError("failed", `the journal is damaged at ${place}`, {
    next: "mend or move that line away, then run the command again",
  });
}
