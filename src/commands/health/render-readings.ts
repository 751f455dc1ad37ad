import { printable } from "../../system/printable.ts";
import type { HealthState } from "../../system/reading.ts";
import { describeAge } from "../../terminal/quantities.ts";
import { printTable } from "../../terminal/table.ts";
import type { Context } from "../command.ts";
import type { ShownReading } from "./run-health.ts";

/** The worst first. */
const STATES: readonly HealthState[] = ["fail", "warn", "unknown", "unmonitored", "ok"];
/** What else is not well is in the table. */
const NAMED = 5;

/** Given readings, show them: the worst first, with `--quiet` only what is not well. */
export async function renderReadings(
  readings: readonly ShownReading[],
  { terminal }: Context,
  now: Date,
): Promise<void> {
  const bad = sortByState(readings.filter(({ state }) => state !== "ok"));
  if (terminal.flags.json) {
    terminal.printJson({
      at: now.toISOString(),
      readings: readings.map(({ disk, ...one }) => ({ ...one, ...disk })),
    });
    return;
  }
  const shown = terminal.flags.quiet ? bad : sortByState(readings);
  const paints: Record<HealthState, (text: string) => string> = {
    ok: terminal.out.green,
    warn: terminal.out.yellow,
    fail: terminal.out.red,
    unmonitored: terminal.out.magenta,
    unknown: terminal.out.magenta,
  };
  printTable(terminal, shown, [
    { title: "STATE", value: (one) => one.state, paint: (text, one) => paints[one.state](text) },
    { title: "AGE", value: (one) => describeAge(now.getTime() - Date.parse(one.since)) },
    { title: "AREA", value: (one) => one.area },
    { title: "NAME", value: (one) => one.name },
    { title: "WHAT", value: describeReading },
  ]);
  for (const { area, name, next } of bad)
    if (next !== undefined) terminal.note(printable(`${area} ${name}: ${next}`));
  if (readings.length === 0)
    terminal.warn("lcops: there is nothing to be asked how it is; see lcops config check");
  else if (bad.length === 0) terminal.note(`all ${readings.length} are well`);
  else terminal.warn(`lcops: ${summarise(bad)}`);
}

/** Given readings, return them with the worst first, in their own order otherwise. Pure. */
function sortByState(readings: readonly ShownReading[]): ShownReading[] {
  return readings.toSorted((one, other) => STATES.indexOf(one.state) - STATES.indexOf(other.state));
}

/** Given a reading, return what was seen, with the day on which a disk is full. Pure. */
function describeReading({ detail, fullOn }: ShownReading): string {
  return fullOn === undefined ? detail : `${detail}, full on ${fullOn}`;
}

/** `2 fail, 1 unknown: alarm prod us-west-2/api-5xx, host TextLogs, …`. Pure. */
function summarise(bad: readonly ShownReading[]): string {
  const counts = STATES.flatMap((state) => {
    const count = bad.filter((one) => one.state === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  const names = bad.slice(0, NAMED).map(({ area, name }) => printable(`${area} ${name}`));
  return `${counts.join(", ")}: ${names.join(", ")}${bad.length > NAMED ? ", …" : ""}`;
}
