import { randomUUID } from "node:crypto";
import { createAtAll, type Target } from "./make-sink.ts";
import { dataPrefix, manifestKey, RESTORE_NAME } from "./store.ts";

/**
 * Given the destinations of a run and the set that it is about to make, take the set's folder at each of them before the first part comes: parts of two runs that
 * have chosen one name never mix. Where another run has it, that destination has failed with `TakenError`; throws where none is left. What says so is
 * RESTORE.txt, which the run replaces before it publishes; so a destination that takes nothing is known before anything is read.
 */
export function claimSet(targets: readonly Target[], job: string, setId: string): Promise<void> {
  const text = `Run ${randomUUID()} is making this set. It is none before ${manifestKey(job, setId)} is there; what a killed run leaves is removed by lcops backup gc.\n`;
  return createAtAll(targets, dataPrefix(job, setId) + RESTORE_NAME, Buffer.from(text));
}
