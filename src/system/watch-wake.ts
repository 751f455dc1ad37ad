import { networkInterfaces } from "node:os";

const TICK_MS = 2_000;
/** A tick that comes so late was not slow: the machine slept, or this process was stopped. */
const SLEPT_MS = 3 * TICK_MS;

const listeners = new Set<() => void>();
let timer: NodeJS.Timeout | undefined;

/**
 * Have the listener called when this machine has slept or its network has changed: connections may be dead without a word,
 * and what waits may try now. Returns how to take it back; watching keeps no process alive.
 */
export function onWake(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= watch();
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function watch(): NodeJS.Timeout {
  // The wall clock: the other one stands still in a suspended machine.
  let last = Date.now();
  let addresses = listAddresses();
  return setInterval(() => {
    const now = Date.now();
    const before = addresses;
    addresses = listAddresses();
    const isAwake = now - last > SLEPT_MS || addresses !== before;
    last = now;
    if (isAwake) for (const listener of listeners) listener();
  }, TICK_MS).unref();
}

function listAddresses(): string {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => address)
    .toSorted()
    .join(" ");
}
