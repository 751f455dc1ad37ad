import type { Turns } from "./plan-update.ts";

/** Return a function that does work of the same key one after the other, and of others at once. */
export function makeTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const turn = (last.get(key) ?? Promise.resolve()).then(work, work);
    last.set(key, turn);
    return turn;
  };
}
