import { setTimeout as wait } from "node:timers/promises";

/** Read units by the second, spent no faster than allowed. */
export interface Pacer {
  /** Wait until a page may be asked for. */
  take(signal: AbortSignal): Promise<void>;
  /** Tell what it has cost. */
  spend(units: number): void;
}

/**
 * Given the units by the second that may be spent, return a pacer; undefined: without a limit. What a page costs is known only
 * afterwards: a cost is guessed by the last ones, and what it was more is a debt that must be worked off first.
 */
export function makePacer(unitsPerSecond: number | undefined): Pacer {
  if (unitsPerSecond === undefined) return { take: async () => undefined, spend: () => undefined };
  let balance = unitsPerSecond;
  let at = performance.now();
  let guess = 0;
  const refill = (): void => {
    const now = performance.now();
    balance = Math.min(unitsPerSecond, balance + ((now - at) / 1000) * unitsPerSecond);
    at = now;
  };
  return {
    take: async (signal) => {
      refill();
      while (balance < 0) {
        await wait(Math.ceil((-balance / unitsPerSecond) * 1000), undefined, { signal });
        refill();
      }
      balance -= guess;
    },
    spend: (units) => {
      refill();
      balance -= units - guess;
      guess = (guess + units) / 2;
    },
  };
}
