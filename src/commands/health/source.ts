import { describeInOneLine, OperatorError } from "../../system/errors.ts";
import type { Reading } from "../../system/reading.ts";
import { untilAborted } from "../../system/until-aborted.ts";

/** Something that can be asked how it, or what it watches, is. */
export interface Source {
  area: string;
  name: string;
  /** How long it is waited for; the others go on. */
  limitMs: number;
  /** How long it is left alone, where it is asked again and again. */
  everyMs: number;
  /** Where it throws, nobody can say how it is. */
  read: (signal: AbortSignal) => Promise<Reading[]>;
}

/** Given a source, return its readings. One that fails or does not answer in time has one, which says so; only the aborted signal throws. */
export async function readSource(source: Source, signal: AbortSignal): Promise<Reading[]> {
  try {
    return await askWithin(source.limitMs, signal, source.read);
  } catch (error) {
    signal.throwIfAborted();
    return [unknownOf(source, error)];
  }
}

/** Given a source and why it did not say anything, return the reading that says so. Pure. */
export function unknownOf({ area, name }: Pick<Source, "area" | "name">, error: unknown): Reading {
  const next = error instanceof OperatorError ? error.next : undefined;
  const detail = describeInOneLine(error);
  return { area, name, state: "unknown", detail, ...(next !== undefined && { next }) };
}

/** Call `ask`, and wait for it so long and not longer, and no longer than the signal lets: not everything that is asked listens to one. Throws `unreachable` past the limit. */
export async function askWithin<T>(
  limitMs: number,
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  // The outer signal lives as long as somebody watches: nothing stays on it.
  const over = new AbortController();
  const end = (): void => over.abort(signal.reason);
  signal.addEventListener("abort", end);
  const timer = setTimeout(
    () => over.abort(new OperatorError("unreachable", `no answer within ${limitMs / 1000} s`)),
    limitMs,
  );
  // Before whoever is asked: the reason is the limit, not how they took it.
  const gone = untilAborted(over.signal);
  try {
    return await Promise.race([ask(over.signal), gone]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}

/** Given a thing that was asked for directly, and what that threw, return how it is: one that is not there fails. Rethrows where that is not said. */
export function judgeAbsence(area: string, name: string, error: unknown): Reading[] {
  if (!(error instanceof OperatorError) || error.kind !== "unreachable") throw error;
  const { next } = error;
  const detail = describeInOneLine(error);
  return [{ area, name, state: "fail", detail, ...(next !== undefined && { next }) }];
}
