import type { HealthState } from "../../system/reading.ts";

/**
 * What does not do well is what the check looks for: 4. Where nothing is known to be unwell and not everything is known, 3: it was looked at in part.
 * Pure.
 */
export function exitCodeOfStates(states: readonly HealthState[]): number {
  if (states.some((state) => state === "fail" || state === "warn")) return 4;
  return states.length > 0 && states.every((state) => state === "ok") ? 0 : 3;
}
