import type { DestinationName } from "../config/backup-schema.ts";
import { OperatorError } from "../system/errors.ts";
import { onePiece } from "../system/one-piece.ts";

/** Where sets are kept: a folder of this machine, or a bucket. Keys are relative, `/` between their levels. */
export interface Store {
  name: DestinationName;
  /** For people: the folder, or `s3://bucket/prefix`. */
  place: string;
  /** Everything whose key begins so, in no order; nothing where there is nothing yet. */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** The bytes; throws `NotStoredError` at the first where there are none of that key. */
  read(key: string): AsyncIterable<Uint8Array>;
  /**
   * Put the bytes there whole or not at all, and on the disk when it resolves. Where a content throws, nothing of that key is left, and
   * the same is thrown.
   */
  write(key: string, content: AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * Put something small there, whole or not at all, unless there is something of that key already: that stays, and `TakenError` is thrown. Where
   * it is these very bytes, they were put there.
   */
  create(key: string, content: Uint8Array): Promise<void>;
  /** What is gone already is no error. */
  remove(key: string): Promise<void>;
  /** Removes what killed writers left that no listing shows (unfinished uploads), older than so long; returns how many. */
  sweep(olderThanMs: number): Promise<number>;
  close(): void;
}

export interface StoredObject {
  key: string;
  bytes: number;
  modifiedAt: Date;
}

/** There is nothing of that key. */
export class NotStoredError extends Error {
  override readonly name = "NotStoredError";
}

/** There is something of that key, of another writer: nothing of it is ours to remove. */
export class TakenError extends OperatorError {
  constructor(key: string) {
    super("failed", `${key} is there already, and another run has written it`, {
      next: "verify that set; the next run takes another name",
    });
  }
}

/** Of what a writer has not finished yet; nobody reads it, and gc removes it. */
export const UNFINISHED = /\.tmp-[0-9a-f]{12}$/;

/** Where the manifests of a job are. */
export const manifestPrefix = (job: string): string => `manifests/${job}/`;
/** The manifest of a set: with it the set is there, without it nothing of it counts. */
export const manifestKey = (job: string, setId: string): string =>
  `${manifestPrefix(job)}${setId}.json`;
/** Where the parts of a set are. */
export const dataPrefix = (job: string, setId: string): string => `data/${job}/${setId}/`;
/** Where a part of a set is: a part of an earlier set is where that has it. */
export const partKey = (
  { job, setId }: { job: string; setId: string },
  part: { path: string; in?: string },
): string => dataPrefix(job, part.in ?? setId) + part.path;
/** Where is kept what was found out about a set. */
export const reportPrefix = (job: string, setId: string): string => `reports/${job}/${setId}/`;

/** How to restore the set with standard programs alone, beside its parts. */
export const RESTORE_NAME = "RESTORE.txt";

/** Given a store and a key of something small, return it whole as text. Throws as `read` does. */
export async function readText(store: Store, key: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read(key)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** Given a store, a key that is taken and what was to be put there, throw `TakenError` unless it is what is there: an answer that was lost is asked for twice. */
export async function refuseOther(store: Store, key: string, content: Uint8Array): Promise<void> {
  // Who may not read it cannot say that it is theirs, and must not remove it.
  const there = await readText(store, key).catch(() => undefined);
  if (there !== Buffer.from(content).toString("utf8")) throw new TakenError(key);
}

/** Given a store, a key and text, put it there whole or not at all. */
export function writeText(store: Store, key: string, text: string): Promise<void> {
  return store.write(key, onePiece(text));
}
