import type { CopyResult } from "./copy-one.ts";
import type { Pair } from "./join-listings.ts";
import { type CatalogEntry, isSame, type ListedObject } from "./object-entry.ts";
import type { Inspection, Misfit } from "./object-side.ts";
import { runInOrder } from "./run-in-order.ts";
import type { CatalogWriter } from "./work-catalog.ts";

export interface CopySums {
  same: number;
  copied: number;
  copiedBytes: number;
  /** Overwritten between the listing and the copying. */
  changed: number;
  vanished: number;
  /** The copy was found to be without them, or to have others. */
  mended: number;
  /** The copy is without them, and the source is too. */
  lost: number;
  /** The first of them. */
  skipped: { object: string; reason: string }[];
  skippedCount: number;
  /** Missing in two complete listings in a row, as far as may be removed; none where they are more. */
  candidates: CatalogEntry[];
  candidateCount: number;
}

interface CopyOptions {
  copyOne: (object: ListedObject) => Promise<CopyResult>;
  writer: CatalogWriter;
  /** What was copied is on the disk when it resolves. */
  settle: () => Promise<void>;
  total: number;
  update: (line: string) => void;
  /** Asks the copy itself what is there; undefined: the catalog is believed. */
  inspection: Inspection | undefined;
  /** How many objects may be removed. */
  most: number;
}

type InspectedPair = Pair & { problem?: Misfit };

/** What is done of a run that is killed is remembered up to so many objects ago. */
const KEEP_EVERY = 2_000;
const NAMED = 1_000;

/** Given what the source has beside what is known of the copy, copy what is new or changed, and write the catalog of what is there then. */
export async function copyPairs(
  pairs: AsyncIterable<readonly Pair[]>,
  { copyOne, writer, settle, total, update, inspection, most }: CopyOptions,
): Promise<CopySums> {
  const sums: CopySums = {
    same: 0,
    copied: 0,
    copiedBytes: 0,
    changed: 0,
    vanished: 0,
    mended: 0,
    lost: 0,
    skipped: [],
    skippedCount: 0,
    candidates: [],
    candidateCount: 0,
  };
  const skip = (object: string, reason: string): void => {
    sums.skippedCount++;
    if (sums.skipped.length < NAMED) sums.skipped.push({ object, reason });
  };
  const copyPair = async (
    listed: ListedObject,
    known: CatalogEntry | undefined,
  ): Promise<CatalogEntry | undefined> => {
    const result = await copyOne(listed);
    if (result.state === "copied") {
      sums.copied++;
      sums.copiedBytes += listed.size;
      if (result.changed) sums.changed++;
      return result.entry;
    }
    if (result.state === "vanished") sums.vanished++;
    else skip(listed.key, result.reason);
    // What was copied of it before is there still.
    return known;
  };
  const keepMissing = (known: CatalogEntry): CatalogEntry => {
    const missing = (known.missing ?? 0) + 1;
    const entry = { ...known, missing };
    if (missing < 2) return entry;
    sums.candidateCount++;
    if (sums.candidates.length < most) sums.candidates.push(entry);
    return entry;
  };
  const work = ({
    listed,
    known,
    problem,
  }: InspectedPair): CatalogEntry | undefined | Promise<CatalogEntry | undefined> => {
    if (!listed) {
      if (problem === undefined) return keepMissing(known);
      sums.lost++;
      skip(known.key, `it is neither at the source nor whole in the copy: ${problem.problem}`);
      return undefined;
    }
    if (known && problem === undefined && isSame(listed, known)) {
      sums.same++;
      if (known.missing === undefined) return known;
      const { missing: _again, ...entry } = known;
      return entry;
    }
    if (problem !== undefined) sums.mended++;
    return copyPair(listed, problem === undefined ? known : undefined);
  };
  let done = 0;
  let kept = 0;
  const inspected = inspection ? inspectPairs(pairs, inspection) : pairs;
  for await (const entries of runInOrder<InspectedPair, CatalogEntry | undefined>(
    inspected,
    work,
  )) {
    await writer.add(entries.filter((entry) => entry !== undefined));
    done += entries.length;
    if (done - kept >= KEEP_EVERY) {
      await settle();
      await writer.keep();
      kept = done;
    }
    update(`${Math.min(done, total)} of ${total} objects, ${sums.copied} copied`);
  }
  await settle();
  if (sums.candidateCount > most) sums.candidates = [];
  return sums;
}

/** The questions to the copy are asked one after the other, ahead of what is done with the answers. */
async function* inspectPairs(
  pairs: AsyncIterable<readonly Pair[]>,
  inspection: Inspection,
): AsyncGenerator<InspectedPair[]> {
  for await (const page of pairs) {
    const inspected: InspectedPair[] = [];
    for (const pair of page) {
      // What is copied anyway is not asked for.
      const { listed, known } = pair;
      const isAsked = known && (!listed || isSame(listed, known));
      const problem = isAsked ? await inspection.check(known) : undefined;
      inspected.push(problem === undefined ? pair : { ...pair, problem });
    }
    yield inspected;
  }
}
