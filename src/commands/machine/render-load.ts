import { printable } from "../../system/printable.ts";
import { countOf } from "../../system/quantities.ts";
import { drawSparkline } from "../../terminal/sparkline.ts";
import { cutToWidth, printTable } from "../../terminal/table.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import type { JmeterRun } from "../../workstation/launch-jmeter.ts";
import type { LabelSummary, LoadSummary } from "../../workstation/summarise-load.ts";

const REASONS = 5;

interface JudgedRun {
  name: string;
  run: JmeterRun;
  /** Why it is not the whole test. */
  broken: readonly string[];
  /** What is not as it should be. */
  wrong: readonly string[];
}

/** Given what was measured and how it was judged, print it: a table with percentiles, a plot over time, why samples have failed, and where all of it is kept. */
export function renderLoad({ name, run, broken, wrong }: JudgedRun, terminal: Terminal): void {
  const { summary, report, results, log, version, folder } = run;
  const verdict = broken.length > 0 ? "broken" : wrong.length > 0 ? "failed" : "passed";
  if (terminal.flags.json) {
    const files = { folder, results, log, report: report ?? null };
    const why = [...broken, ...wrong];
    terminal.printJson({ name, verdict, why, jmeter: version ?? null, ...files, ...summary });
    return;
  }
  // Cron hears of what is wrong alone.
  if (verdict === "passed" && !terminal.isScreen && !terminal.flags.verbose) return;
  if (summary.samples > 0) printMeasured(name, verdict, summary, terminal);
  if (report !== undefined) terminal.note(printable(`report: ${report}`));
  else if (verdict !== "broken" && summary.samples > 0)
    terminal.note(`JMeter ${version ?? ""} has made no report of its own`.replace("  ", " "));
  terminal.note(printable(`results: ${results}`));
}

function printMeasured(
  name: string,
  verdict: "passed" | "failed" | "broken",
  summary: LoadSummary,
  terminal: Terminal,
): void {
  const { samples, failed, seconds, perSecond, labels, total, reasons, overTime } = summary;
  const paint = { passed: terminal.out.green, failed: terminal.out.red, broken: terminal.out.red };
  const speed = `${countOf(samples, "sample")} in ${seconds.toFixed(1)} s (${perSecond.toFixed(1)}/s)`;
  terminal.print(`${printable(name)}: ${paint[verdict](verdict)}, ${speed}, ${failed} failed`);
  printTable(terminal, labels.length > 1 ? [...labels, total] : labels, [
    { title: "SAMPLE", value: ({ label }: LabelSummary) => label },
    { title: "COUNT", value: (row) => String(row.samples) },
    {
      title: "FAILED",
      value: (row) => String(row.failed),
      paint: (text, row) => (row.failed > 0 ? terminal.out.red(text) : text),
    },
    { title: "MEAN ms", value: (row) => String(row.meanMs) },
    { title: "MEDIAN", value: (row) => String(row.p50Ms) },
    { title: "P90", value: (row) => String(row.p90Ms) },
    { title: "P95", value: (row) => String(row.p95Ms) },
    { title: "P99", value: (row) => String(row.p99Ms) },
    { title: "MAX", value: (row) => String(row.maxMs) },
  ]);
  for (const { why, count } of reasons.slice(0, REASONS))
    terminal.print(cutToScreen(`${count} × ${printable(why)}`, terminal));
  if (!terminal.isScreen) return;
  const most = Math.max(...overTime.perSecond);
  const slowest = Math.max(...overTime.meanMs);
  const each = `each ${overTime.seconds} s`;
  terminal.print(
    cutToScreen(
      `per second ${drawSparkline(overTime.perSecond)} ≤ ${most.toFixed(1)}, ${each}`,
      terminal,
    ),
  );
  terminal.print(
    cutToScreen(`mean ms    ${drawSparkline(overTime.meanMs)} ≤ ${slowest}`, terminal),
  );
}

function cutToScreen(line: string, { isScreen, columns }: Terminal): string {
  return isScreen ? cutToWidth(line, columns) : line;
}
