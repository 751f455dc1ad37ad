import { setTimeout as wait } from "node:timers/promises";
import { describeInOneLine, OperatorError } from "../../system/errors.ts";
import type { Reading } from "../../system/reading.ts";

/** Something that can be asked how it, or what it watches, is. */
export interface Source {
  area: string;
  name: string;
  /** How long it is waited for; the others go on. */
  limitMs: number;
  /** Where it throws, nobody can say how it is. */
  read: (signal: AbortSignal) => Promise<Reading[]>;
}

/** Given a source, return its readings. One that fails or does not answer in time has one, which says so; only the aborted signal throws. */
export async function readSource(source: Source, signal: AbortSignal): Promise<Reading[]> {
  const { area, name, limitMs } = source;
  const limit = new AbortController();
  const over = new AbortController();
  const late = wait(limitMs, undefined, { signal: over.signal }).then(() => {
    limit.abort();
    throw new OperatorError("unreachable", `no answer within ${limitMs / 1000} s`);
  });
  // Nobody waits for it any more once the source has answered.
  late.catch(() => undefined);
  try {
    // Raced too: not everything that is asked below listens to a signal.
    return await Promise.race([source.read(AbortSignal.any([signal, limit.signal])), late]);
  } catch (error) {
    signal.throwIfAborted();
    const next = error instanceof OperatorError ? error.next : undefined;
    return [
      {
        area,
        name,
        state: "unknown",
        detail: describeInOneLine(error),
        ...(next !== undefined && { next }),
      },
    ];
  } finally {
    over.abort();
  }
}

/** Given a thing that was asked for directly, and what that threw, return how it is: one that is not there fails. Rethrows where that is not said. */
export function judgeAbsence(area: string, name: string, error: unknown): Reading[] {
  if (!(error instanceof OperatorError) || error.kind !== "unreachable") throw error;
  const { next } = error;
  const detail = describeInOneLine(error);
  return [{ area, name, state: "fail", detail, ...(next !== undefined && { next }) }];
}
