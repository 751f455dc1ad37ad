/** How well something is. `unmonitored`: whoever watches it was told not to; `unknown`: nobody can say. Neither is well. */
export type HealthState = "ok" | "warn" | "fail" | "unmonitored" | "unknown";

/** How one thing was when it was looked at. */
export interface Reading {
  /** `host`, `monit`, `alarm`, … */
  area: string;
  name: string;
  state: HealthState;
  /** What was seen, one line; not yet printable. */
  detail: string;
  /** Since when it is so (ISO 8601), where its source knows. */
  since?: string;
  /** When its source has looked (ISO 8601); absent: just now. */
  seenAt?: string;
  /** What to do about it. */
  next?: string;
  /** Of a filesystem. */
  disk?: { usedBytes: number; totalBytes: number };
}
