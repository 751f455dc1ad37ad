import type { DestinationName } from "../config/backup-schema.ts";
import type { Store } from "./store.ts";

/** Given a destination that cannot be opened and why, return it as a store that throws that at each use: the others are used all the same. */
export function closedStore(name: DestinationName, place: string, why: unknown): Store {
  const refuse = (): Promise<never> => Promise.reject(why as Error);
  // oxlint-disable-next-line require-yield, typescript/require-await -- an iteration that throws at once
  async function* refuseAll(): AsyncGenerator<never> {
    throw why;
  }
  return {
    name,
    place,
    list: refuseAll,
    read: refuseAll,
    write: refuse,
    create: refuse,
    remove: refuse,
    sweep: refuse,
    close: () => undefined,
  };
}
