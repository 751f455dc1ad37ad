import { Readable } from "node:stream";
import type { PartRecord, SetReader } from "../services/set-content.ts";
import { describeError, OperatorError } from "../system/errors.ts";
import { type CodecOptions, decode } from "./codec.ts";
import { compareDigests, makeDigester } from "./digest-bytes.ts";
import type { StoredSet } from "./list-sets.ts";
import { partKey } from "./store.ts";

export interface ReadOptions extends CodecOptions {
  /** Private keys, asked for only where a set is encrypted. */
  identities: () => Promise<readonly string[]>;
  /** Told of plain bytes as they come. */
  passed?: (bytes: number) => void;
  /** Told of a part that is not as its record says, before the same is thrown. */
  damaged?: (problem: string) => void;
}

/** Given a set, return what reads its parts back; see `SetReader`. */
export function openSet(set: StoredSet, options: ReadOptions): SetReader {
  return {
    ...set.manifest,
    read: (part) => Readable.from(readPart(set, part, options), { objectMode: false }),
  };
}

/** Given a set and one of its parts, return its plain bytes. Throws `failed`, at the end at the latest, where they are not those of its record. */
export async function* readPart(
  set: StoredSet,
  part: PartRecord,
  options: ReadOptions,
): AsyncIterable<Uint8Array> {
  const stored = makeDigester();
  const plain = makeDigester();
  const damaged = (what: string, problem: string): OperatorError => {
    const told = `${part.path} of ${set.setId} is damaged: ${what}: ${problem}`;
    options.damaged?.(told);
    return new OperatorError("failed", told, {
      next: `lcops backup verify ${set.setId} finds out which copies are whole: one of them is read then, or restore an older set`,
    });
  };
  const bytes = stored.pass(set.store.read(partKey(set, part)));
  const content = decode(part.codec, bytes, options.identities, options);
  try {
    for await (const chunk of plain.pass(content)) {
      options.passed?.(chunk.length);
      yield chunk;
    }
  } catch (error) {
    options.signal.throwIfAborted();
    // Without its key, its program or its destination nothing is known of the part.
    if (error instanceof OperatorError && error.kind !== "failed") throw error;
    throw damaged("it cannot be unpacked", describeError(error));
  }
  // One that ends early is not read to the end by its decoder either: it has fewer bytes then.
  const storedProblem = compareDigests(stored.end(), part.stored);
  if (storedProblem !== undefined) throw damaged("as it is stored", storedProblem);
  const plainProblem = compareDigests(plain.end(), part.plain);
  if (plainProblem !== undefined) throw damaged("unpacked", plainProblem);
}
