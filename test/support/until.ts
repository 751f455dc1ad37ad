/** Waiting for what another process does. */
import { setTimeout as wait } from "node:timers/promises";

export async function until(
  what: string,
  test: () => Promise<boolean> | boolean,
  limitMs = 5000,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await test())) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`);
    await wait(20);
  }
}
