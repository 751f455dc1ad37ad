import { lastOf } from "../../backup/judge-sets.ts";
import type { DrillReport, Report, VerifyReport } from "../../backup/reports.ts";
import { describeAge, describeBytes } from "../../system/quantities.ts";
import { printTable } from "../../terminal/table.ts";
import type { Context, Input } from "../command.ts";
import { gatherSets, type Shelf } from "./gather-sets.ts";
import { withBackups } from "./open-backups.ts";

/** A set, wherever it is. */
interface Row {
  setId: string;
  job: string;
  at: string[];
  set: Shelf["sets"][number];
  reports: Report[];
}

/** Given what was typed, do what `lcops backup list` says and return the exit code. */
export function runList(input: Input, context: Context): Promise<number> {
  return withBackups(context, async (backups) => {
    const { terminal } = context;
    const jobs = backups.pick(input.operands);
    const { shelves, gaps } = await gatherSets(backups, jobs, context);
    const rows = joinCopies(shelves);
    const bad = shelves.flatMap((shelf) => shelf.bad);
    if (terminal.flags.json) {
      terminal.printJson({
        gaps,
        damaged: bad.map(({ job, setId, store, problem }) => ({
          job,
          setId,
          at: store.name,
          problem,
        })),
        sets: rows.map(describeRow),
      });
    } else {
      printTable(terminal, rows, [
        { title: "SET", value: ({ setId }) => setId },
        { title: "JOB", value: ({ job }) => job },
        { title: "AT", value: ({ at }) => at.join(", ") },
        { title: "RESULT", value: ({ set }) => set.manifest.result },
        { title: "SIZE", value: ({ set }) => describeBytes(set.manifest.totals.storedBytes) },
        { title: "ROWS", value: ({ set }) => String(set.manifest.totals.rows ?? "") },
        { title: "CONSISTENCY", value: ({ set }) => set.manifest.consistency.level },
        { title: "VERIFIED", value: ({ reports }) => describeVerify(lastOf(reports, "verify")) },
        { title: "DRILLED", value: ({ reports }) => describeDrill(lastOf(reports, "drill")) },
      ]);
      for (const { setId, job, store, problem } of bad)
        terminal.warn(
          `lcops: ${job}: ${setId} at ${store.name}: ${problem}; see lcops backup verify ${setId}`,
        );
      if (rows.length === 0 && gaps.length === 0)
        terminal.note("there is no set yet; lcops backup run makes one");
    }
    if (gaps.length > 0) return rows.length > 0 || shelves.length > 0 ? 3 : 1;
    return bad.length > 0 ? 4 : 0;
  });
}

function joinCopies(shelves: readonly Shelf[]): Row[] {
  const rows = new Map<string, Row>();
  for (const { store, sets } of shelves) {
    for (const set of sets) {
      const row = rows.get(set.setId) ?? {
        setId: set.setId,
        job: set.job,
        at: [],
        set,
        reports: [],
      };
      rows.set(set.setId, row);
      row.at.push(store.name);
      row.reports.push(...set.reports);
    }
  }
  return [...rows.values()].toSorted((one, other) => (one.setId < other.setId ? -1 : 1));
}

function describeRow({ setId, job, at, set, reports }: Row): object {
  const { manifest } = set;
  return {
    setId,
    job,
    at,
    result: manifest.result,
    skipped: manifest.skipped,
    startedAt: manifest.startedAt,
    consistency: manifest.consistency,
    totals: manifest.totals,
    warnings: manifest.warnings,
    verified: lastOf(reports, "verify") ?? null,
    drilled: lastOf(reports, "drill") ?? null,
  };
}

const ago = (at: string): string => `${describeAge(Date.now() - Date.parse(at))} ago`;

function describeVerify(report: VerifyReport | undefined): string {
  if (!report) return "never";
  return report.ok ? `${report.level}, ${ago(report.at)}` : `DAMAGED, ${ago(report.at)}`;
}

/** Given the last drill of a set, return what it said, for people. Pure but for the time. */
export function describeDrill(report: DrillReport | undefined): string {
  if (!report) return "never";
  if (report.verdict !== "proven") return `${report.verdict.toUpperCase()}, ${ago(report.at)}`;
  return `proven, ${ago(report.at)}, in ${describeAge(report.tookMs)}`;
}
