import { type CheckReport, type Discrepancy, isNews } from "../../consistency/report.ts";
import { printable } from "../../system/printable.ts";
import { countOf } from "../../system/quantities.ts";
import { printTable } from "../../terminal/table.ts";
import type { Context } from "../command.ts";

/** What was checked, and what came of it. */
export interface Subject {
  name: string;
  service?: string;
  reports: readonly CheckReport[];
  /** Ids of the baseline of which nothing was found any more. */
  gone: readonly string[];
}

/** On a screen so many findings of a check are shown; all of them are in a pipe and with `--json`. */
const SHOWN = 20;

/**
 * Given the reports and the exit code that they come to, tell them: what was checked, what was not and why, what was found; and the services that nobody
 * has configured a check of. Silent where all is well and nobody watches.
 */
export function renderReports(
  subjects: readonly Subject[],
  code: number,
  { terminal, signal }: Pick<Context, "terminal" | "signal">,
  leftOut: readonly string[] = [],
): void {
  if (terminal.flags.json) {
    terminal.printJson({ isStopped: signal.aborted, subjects, notConfigured: leftOut });
    tellVerdict(subjects, code, terminal);
    return;
  }
  if (code === 0 && !terminal.isScreen && !terminal.flags.verbose) return;
  const rows = subjects.flatMap(({ name, reports }) => reports.map((report) => ({ name, report })));
  printTable(terminal, rows, [
    { title: "OF", value: ({ name }) => name },
    { title: "CHECK", value: ({ report }) => report.check },
    {
      title: "STATE",
      value: ({ report }) => describeState(report),
      paint: (text, { report }) => (isWell(report) ? text : terminal.out.red(text)),
    },
    { title: "LOOKED AT", value: ({ report }) => describeLooked(report) },
    { title: "FOUND", value: ({ report }) => describeFound(report) },
  ]);
  for (const { reports } of subjects) {
    const gaps = gatherGaps(reports);
    for (const report of reports) tellReport(report, gaps, terminal);
  }
  if (leftOut.length > 0)
    terminal.print(
      printable(
        `not configured: no entry of consistency has ${leftOut.join(", ")}; lcops db check NAME looks at one all the same`,
      ),
    );
  for (const { gone } of subjects)
    for (const id of gone)
      terminal.note(printable(`no longer found, and still in the baseline: ${id}`));
  tellVerdict(subjects, code, terminal);
}

const isWell = ({ state, skipped, findings, more }: CheckReport): boolean =>
  state !== "skipped" && skipped.length === 0 && more === 0 && !findings.some(isNews);

function describeState({ state, skipped }: CheckReport): string {
  return state === "checked" && skipped.length > 0 ? "checked in part" : state;
}

function describeLooked({ state, about, looked }: CheckReport): string {
  if (state !== "checked") return about;
  return Object.entries(looked)
    .map(([what, count]) => countOf(count, what.replace(/s$/, ""), what))
    .join(", ");
}

function describeFound({ state, findings, more }: CheckReport): string {
  if (state !== "checked" && findings.length === 0) return "-";
  const news = findings.filter(isNews).length + more;
  const known = findings.length + more - news;
  return known > 0 ? `${news}, and ${known} known` : `${news}`;
}

function tellReport(
  report: CheckReport,
  gaps: ReadonlyMap<string, readonly string[]>,
  terminal: Context["terminal"],
): void {
  const { check, findings, skipped, excluded, more } = report;
  const shown = terminal.isScreen ? findings.slice(0, SHOWN) : findings;
  const left = findings.length - shown.length + more;
  for (const finding of shown) terminal.print(printable(`${check}: ${describeFinding(finding)}`));
  if (left > 0) terminal.print(`${check}: and ${left} more`);
  for (const gap of skipped) {
    const said = describeGap(gap);
    const checks = gaps.get(said) ?? [];
    if (checks[0] === check)
      terminal.print(printable(`${checks.join(", ")}: not checked: ${said}`));
  }
  if (excluded.length > 0)
    terminal.print(printable(`${check}: left out, as it is configured: ${excluded.join(", ")}`));
}

/** What stops several checks, as a server that does not answer, is said once: what is not checked, with the checks that miss it. */
function gatherGaps(reports: readonly CheckReport[]): Map<string, string[]> {
  const gaps = new Map<string, string[]>();
  for (const { check, skipped } of reports)
    for (const said of new Set(skipped.map(describeGap)))
      gaps.set(said, [...(gaps.get(said) ?? []), check]);
  return gaps;
}

/** What a server says of itself begins with its name already. */
function describeGap({ object, why }: CheckReport["skipped"][number]): string {
  return why.startsWith(`${object}: `) ? why : `${object}: ${why}`;
}

function describeFinding({ object, key, column, kind, detail, known }: Discrepancy): string {
  const where = [object, key && `[${key}]`, column].filter(Boolean).join(" ");
  const bearing = known
    ? known.isExpired
      ? ` (known until ${known.until}, which is over: ${known.owner}, ${known.reason})`
      : ` (known until ${known.until}: ${known.owner}, ${known.reason})`
    : "";
  return `${where}: ${kind}: ${detail}${bearing}`;
}

function tellVerdict(
  subjects: readonly Subject[],
  code: number,
  terminal: Context["terminal"],
): void {
  if (code === 0) return;
  const reports = subjects.flatMap((subject) => subject.reports);
  const news = reports.reduce(
    (sum, { findings, more }) => sum + findings.filter(isNews).length + more,
    0,
  );
  const gaps = reports.flatMap(({ skipped }) => skipped.map(describeGap));
  const [reason, ...others] = new Set(gaps);
  const said = [
    ...(news > 0 ? [`${countOf(news, "finding")}`] : []),
    ...(gaps.length > 0 ? [`${gaps.length} not checked`] : []),
    ...(code === 1 ? ["nothing was checked"] : []),
  ];
  const names = subjects.map(({ name }) => name).join(", ");
  // Of several reasons none stands for the others: they are in the output.
  const why = reason !== undefined && others.length === 0 ? `: ${reason}` : "";
  terminal.warn(printable(`lcops: ${names}: ${said.join(", ")}${why}`));
}
