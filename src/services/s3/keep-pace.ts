import { setMaxListeners } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { errorCode } from "../../system/errors.ts";
import { isNamed, statusOf } from "./bucket-place.ts";

/** How many requests are on their way at once: as many as are answered, fewer when S3 asks for that. */
export interface Pace {
  /** Run what asks S3, when there is room; what may be different the next time is tried again. Throws what stays so, and the signal's reason. */
  run<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** How often something was tried again. */
  retries(): number;
}

const FIRST_LIMIT = 16;
const MOST = 64;
const ATTEMPTS = 8;
const PAUSE_MS = { first: 100, longest: 10_000 };

/** Return a pace of its own; what waits for room or for another attempt ends by the signal. */
export function keepPace(signal: AbortSignal): Pace {
  // Each request waits for it.
  setMaxListeners(0, signal);
  let limit = FIRST_LIMIT;
  let running = 0;
  let retried = 0;
  /** Of the last time that the limit was halved: one storm halves it once. */
  let halvedAt = 0;
  const waiting: (() => void)[] = [];
  const enter = async (): Promise<void> => {
    if (running < Math.floor(limit)) running++;
    // Who leaves hands its room over.
    else await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const leave = (): void => {
    running--;
    while (running < Math.floor(limit) && waiting.length > 0) {
      running++;
      waiting.shift()?.();
    }
  };
  const attempt = async <T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    await enter();
    try {
      signal.throwIfAborted();
      const began = performance.now();
      try {
        const answer = await ask(signal);
        limit = Math.min(MOST, limit + 1 / limit);
        return answer;
      } catch (error) {
        if (isBusy(error) && began > halvedAt) {
          limit = Math.max(1, limit / 2);
          halvedAt = performance.now();
        }
        throw error;
      }
    } finally {
      leave();
    }
  };
  return {
    retries: () => retried,
    run: async (ask) => {
      for (let tries = 1; ; tries++) {
        try {
          return await attempt(ask);
        } catch (error) {
          signal.throwIfAborted();
          if (tries === ATTEMPTS || !isPassing(error)) throw error;
          retried++;
          const most = Math.min(PAUSE_MS.longest, PAUSE_MS.first * 2 ** tries);
          await wait(most * (0.5 + Math.random() / 2), undefined, { signal }).catch(() =>
            signal.throwIfAborted(),
          );
        }
      }
    },
  };
}

/** What S3 says when it is asked too much: Amazon S3 user guide, "Best practices design patterns". */
const isBusy = (error: unknown): boolean =>
  statusOf(error) === 503 || statusOf(error) === 429 || isNamed(error, "SlowDown");

const PASSING_CODES = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT", "ECONNABORTED", "EAI_AGAIN"]);

/** Whether the same may be answered otherwise in a moment. */
function isPassing(error: unknown): boolean {
  const status = statusOf(error) ?? 0;
  if (status >= 500 || status === 429 || status === 408) return true;
  if (isNamed(error, "TimeoutError", "RequestTimeout", "InternalError", "CutShortError"))
    return true;
  const cause = error instanceof Error ? error.cause : undefined;
  return [error, cause].some(
    (one) =>
      PASSING_CODES.has(errorCode(one) ?? "") ||
      (one instanceof Error && /socket hang up|aborted|terminated/.test(one.message)),
  );
}
