import { printable } from "../../system/printable.ts";
import type { HealthState } from "../../system/reading.ts";
import { describeAge } from "../../system/quantities.ts";
import { type Column, printTable } from "../../terminal/table.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import type { Context } from "../command.ts";
import type { ShownReading } from "./describe-readings.ts";

/** The worst first. */
const STATES: readonly HealthState[] = ["fail", "warn", "unknown", "unmonitored", "ok"];
/** What else is not well is in the table. */
const NAMED = 5;

/** Given readings, show them: the worst first, with `--quiet` only what is not well. */
export async function renderReadings(
  readings: readonly ShownReading[],
  { terminal }: Pick<Context, "terminal">,
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
  printTable(terminal, shown, columnsOf(terminal, now));
  for (const { area, name, next } of bad)
    if (next !== undefined) terminal.note(printable(`${area} ${name}: ${next}`));
  sayInAll(readings, terminal);
}

/** Given readings, say in a line how everything is. */
export function sayInAll(readings: readonly ShownReading[], terminal: Terminal): void {
  const bad = sortByState(readings.filter(({ state }) => state !== "ok"));
  if (readings.length === 0)
    terminal.warn("lcops: there is nothing to be asked how it is; see lcops config check");
  else if (bad.length === 0) terminal.note(`all ${readings.length} are well`);
  else terminal.warn(`lcops: ${summarise(bad)}`);
}

/** Given a terminal and the time, return the columns of a table of readings. */
export function columnsOf({ out }: Pick<Terminal, "out">, now: Date): Column<ShownReading>[] {
  const paints: Record<HealthState, (text: string) => string> = {
    ok: out.green,
    warn: out.yellow,
    fail: out.red,
    unmonitored: out.magenta,
    unknown: out.magenta,
  };
  return [
    { title: "STATE", value: (one) => one.state, paint: (text, one) => paints[one.state](text) },
    { title: "AGE", value: (one) => describeAge(now.getTime() - Date.parse(one.since)) },
    { title: "AREA", value: (one) => one.area },
    { title: "NAME", value: (one) => one.name },
    { title: "WHAT", value: describeReading },
  ];
}

/** Given readings, return them with the worst first, in their own order otherwise. Pure. */
export function sortByState(readings: readonly ShownReading[]): ShownReading[] {
  return readings.toSorted((one, other) => STATES.indexOf(one.state) - STATES.indexOf(other.state));
}

/** Given a reading, return what was seen, with the day on which a disk is full. Pure. */
function describeReading({ detail, fullOn }: ShownReading): string {
  return fullOn === undefined ? detail : `${detail}, full on ${fullOn}`;
}

/** Given readings, return how many there are of each state: `2 fail, 1 unknown`. Pure. */
export function countStates(readings: readonly ShownReading[]): string {
  const counts = STATES.flatMap((state) => {
    const count = readings.filter((one) => one.state === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  return counts.join(", ");
}

/** `2 fail, 1 unknown: alarm prod us-west-2/api-5xx, host TextLogs, …`. Pure. */
function summarise(bad: readonly ShownReading[]): string {
  const names = bad.slice(0, NAMED).map(({ area, name }) => printable(`${area} ${name}`));
  return `${countStates(bad)}: ${names.join(", ")}${bad.length > NAMED ? ", …" : ""}`;
}
