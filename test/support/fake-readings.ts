import type { ShownReading } from "../../src/commands/health/describe-readings.ts";
import type { HealthState } from "../../src/system/reading.ts";

export const NOW = new Date("2026-01-31T12:00:00.000Z");

/** Returns a reading that is three hours old. */
export const makeReading = (
  name: string,
  state: HealthState,
  more: Partial<ShownReading> = {},
): ShownReading => ({
  area: "host",
  name,
  state,
  detail: state,
  since: "2026-01-31T09:00:00.000Z",
  seenAt: NOW.toISOString(),
  ...more,
});
