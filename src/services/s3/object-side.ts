import { countOf } from "../../system/quantities.ts";
import type { CatalogEntry, ListedObject, ObjectHeaders, StoredCopy } from "./object-entry.ts";

/** An object on its way. */
export interface ObjectContent {
  /** Throws at its end where it is not what it should be; what was made of it must not stand then. */
  bytes: AsyncIterable<Uint8Array>;
  size: number;
  /** When it was changed at its source, `2026-01-31T02:15:00Z`. */
  modified: string;
  headers: ObjectHeaders;
}

/** Where a copy stands, or where it is restored to: a bucket or a folder. */
export interface ObjectSide {
  /** For people: `s3://bucket/prefix`, a folder. */
  place: string;
  /** Tells it from any other place. */
  identity: string;
  /** Put an object there whole or not at all; what it replaces is kept where the place keeps versions. */
  write(key: string, content: ObjectContent): Promise<StoredCopy>;
  /** What was written until now is there even after a power cut, when it resolves. */
  settle(): Promise<void>;
  /** The bytes of an entry as it is in the copy, compared with all that is known of them. Throws `LostCopyError` where they are not there any more. */
  open(entry: CatalogEntry): Promise<{ content: ObjectContent; isHashed: boolean }>;
  /**
   * Whether entries are there, without reading them. They are asked for in the order of their keys, one after the other. `listing`: what a bucket was
   * seen to have, where it was listed already.
   */
  inspect(listing?: AsyncGenerator<ListedObject[]>): Inspection;
  /** Take an object away; older sets still find it where it is kept. What is gone already is no error. */
  remove(entry: CatalogEntry): Promise<void>;
}

/** What is there instead of an entry. */
export interface Misfit {
  /** Nothing is. */
  isMissing: boolean;
  problem: string;
}

export interface Inspection {
  /** Return what is wrong with an entry; undefined where it is there. */
  check(entry: CatalogEntry): Promise<Misfit | undefined>;
  end(): Promise<void>;
}

/** Given an entry and the size of what is in its place, return what is wrong with it. Pure. */
export function describeMisfit(entry: CatalogEntry, size: number | undefined): Misfit {
  if (size === undefined) return { isMissing: true, problem: "it is missing" };
  const problem =
    size === entry.size
      ? "something else is in its place"
      : `${countOf(size, "byte")} instead of ${entry.size}`;
  return { isMissing: false, problem };
}

/** The copy does not have it, or has something else in its place. */
export class LostCopyError extends Error {
  override readonly name = "LostCopyError";
}
