import type { Connection } from "../reach/connect-host.ts";
import { describeError, OperatorError } from "../system/errors.ts";
import { makePromise } from "../system/make-promise.ts";
import { onWake } from "../system/watch-wake.ts";
import { backoff } from "./backoff.ts";

/** Where a connection is in its life; `waiting` dials by itself, `failed` waits for the operator. */
export type ConnectionState =
  | { state: "connecting" }
  | { state: "up"; address: string }
  | { state: "waiting"; reason: OperatorError; nextTryAt: Date }
  | { state: "failed"; reason: OperatorError };

export interface KeptConnection {
  /** Dial, where it is not up; returns how that dial ends. The very first one is not repeated. */
  start(): Promise<Connection>;
  /** The connection that is up, or the next one; rejects where it failed for good. */
  get(): Promise<Connection>;
  status(): { current: ConnectionState; since: Date; reconnects: number };
  /** Dial now, whatever was waited for. */
  retry(): void;
  close(): Promise<void>;
}

export interface KeepOptions {
  /** Looks the host up and connects. */
  dial: (signal: AbortSignal) => Promise<Connection>;
  signal: AbortSignal;
  report: (state: ConnectionState) => void;
}

/** Up for so long, a connection counts as one that works, and its loss as the first failure. */
const STABLE_MS = 60_000;

/**
 * What another try can mend, by what the operator must do; `usage` is two machines of one name, as while one replaces the other.
 * Dialling on after anything else would also call the server's penalties down (PerSourcePenalties).
 */
const RETRIED: ReadonlySet<OperatorError["kind"]> = new Set(["unreachable", "usage"]);

/**
 * Given how to dial a host, keep one connection to it: dialled again, with a fresh lookup, whenever it is lost. A failure that
 * only the operator can mend is dialled once, then `retry` is waited for. One dial is under way at a time.
 */
export function keepConnection({ dial, signal: outer, report }: KeepOptions): KeptConnection {
  const stop = new AbortController();
  const signal = AbortSignal.any([outer, stop.signal]);
  let current: ConnectionState = { state: "connecting" };
  let since = new Date();
  let ups = 0;
  let up: Connection | undefined;
  /** How the dial that is under way, or else the next one, ends. */
  let attempt = makePromise<Connection>();
  let next = makePromise<Connection>();
  let wake = (): void => {};

  const enter = (state: ConnectionState): void => {
    current = state;
    since = new Date();
    report(state);
  };
  /** Without a time until somebody wakes it. */
  const pause = (ms?: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(() => wake(), ms);
      wake = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      signal.addEventListener("abort", wake);
    });
  /** Until the connection is lost, or none was made: returns why. */
  const connectOnce = async (): Promise<OperatorError | undefined> => {
    enter({ state: "connecting" });
    try {
      up = await dial(signal);
    } catch (error) {
      return error instanceof OperatorError
        ? error
        : new OperatorError("failed", describeError(error), { cause: error });
    }
    ups++;
    attempt.resolve(up);
    next.resolve(up);
    enter({ state: "up", address: up.address });
    const lost = await up.closed;
    up = undefined;
    next = makePromise();
    return lost;
  };
  const keep = async (): Promise<void> => {
    let failures = 0;
    while (!signal.aborted) {
      const reason = await connectOnce();
      if (signal.aborted || reason === undefined) return;
      attempt.reject(reason);
      // What cannot be reached at first is an error for who asks; only what was up once is kept.
      if (ups === 0) return next.reject(reason);
      attempt = makePromise();
      if (current.state === "up" && Date.now() - since.getTime() > STABLE_MS) failures = 0;
      const waitMs = RETRIED.has(reason.kind) ? backoff(failures++, Math.random()) : undefined;
      const pausing = pause(waitMs);
      if (waitMs !== undefined) {
        enter({ state: "waiting", reason, nextTryAt: new Date(Date.now() + waitMs) });
        await pausing;
        continue;
      }
      next.reject(reason);
      enter({ state: "failed", reason });
      await pausing;
      next = makePromise();
      failures = 0;
    }
  };
  let kept: Promise<void> | undefined;
  const giveUp = (): void => {
    const reason = signal.aborted ? (signal.reason as Error) : new Error("the tunnel was closed");
    for (const promise of [attempt, next]) promise.reject(reason);
  };
  const forget = onWake(() => {
    if (current.state === "waiting") wake();
  });
  return {
    start: () => {
      kept ??= keep().finally(giveUp);
      if (current.state === "waiting" || current.state === "failed") wake();
      return attempt.promise;
    },
    get: () => next.promise,
    status: () => ({ current, since, reconnects: Math.max(0, ups - 1) }),
    retry: () => wake(),
    close: async () => {
      forget();
      await up?.close();
      stop.abort(new OperatorError("cancelled", "the tunnel was closed"));
      giveUp();
      await kept;
    },
  };
}
