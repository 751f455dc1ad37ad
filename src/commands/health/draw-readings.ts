import { describeCount } from "../../system/quantities.ts";
import { drawSparkline } from "../../terminal/sparkline.ts";
import { cutToWidth, layOutTable } from "../../terminal/table.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import type { ShownReading } from "./describe-readings.ts";
import type { DrawnLine } from "./graphs.ts";
import { keyOf } from "./memory.ts";
import { columnsOf, countStates, sortByState } from "./render-readings.ts";

/** What stands above and below the table. */
const OTHER_ROWS = 4;

/**
 * Given readings, what is drawn beside them and the size of the screen, return the lines that fill it: the worst first, and of what does not fit how
 * much there is and how it is. With `--quiet` only what is not well.
 */
export function drawReadings(
  readings: readonly ShownReading[],
  lines: ReadonlyMap<string, readonly DrawnLine[]>,
  terminal: Pick<Terminal, "out" | "flags">,
  { columns, rows }: { columns: number; rows: number },
  now: Date,
): string[] {
  const { out, flags } = terminal;
  const all = sortByState(readings);
  const wanted = flags.quiet ? all.filter(({ state }) => state !== "ok") : all;
  const room = Math.max(1, rows - OTHER_ROWS);
  const isCut = wanted.length > room;
  const shown = wanted.slice(0, isCut ? room - 1 : room);
  const drawn = (one: ShownReading): string =>
    (lines.get(keyOf(one)) ?? []).map(describeLine).join("  ");
  const hasLines = shown.some((one) => drawn(one) !== "");
  const fit = (text: string): string => cutToWidth(text, columns);
  const counts = readings.length === 0 ? "nothing to be asked" : countStates(readings);
  return [
    out.bold(fit(`${counts}, at ${now.toTimeString().slice(0, 8)}`)),
    ...layOutTable(
      shown,
      [
        ...columnsOf({ out }, now),
        ...(hasLines
          ? [{ title: "LAST HOUR", value: drawn, paint: (text: string) => out.cyan(text) }]
          : []),
      ],
      { width: columns, paintHead: out.dim },
    ),
    ...(isCut ? [out.dim(fit(describeRest(wanted.slice(shown.length))))] : []),
    "",
    out.dim(fit("q leaves")),
  ];
}

/** `load ▁▂▃▅ 1.2`: the last value that there is. Pure. */
function describeLine({ label, points }: DrawnLine): string {
  const values = points.map(([, value]) => value);
  const last = values.findLast((value) => value !== null);
  return last === undefined || last === null
    ? ""
    : `${label} ${drawSparkline(values)} ${describeCount(last)}`;
}

/** Pure. */
function describeRest(rest: readonly ShownReading[]): string {
  const areWell = rest.every(({ state }) => state === "ok");
  return areWell ? `and ${rest.length} more well` : `and ${rest.length} more: ${countStates(rest)}`;
}
