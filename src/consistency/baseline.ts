import { readFile } from "node:fs/promises";
import { describeError, OperatorError } from "../system/errors.ts";
import type { CheckReport, Discrepancy } from "./report.ts";

/** A finding that somebody has looked at, and that is borne until a day. */
interface Known {
  id: string;
  owner: string;
  reason: string;
  /** `2026-12-31`: with the end of this day, in UTC, it is a finding again. */
  until: string;
}

const FIELDS = ["id", "owner", "reason", "until"] as const;

/**
 * Given the path of a baseline, `{"known": [{"id", "owner", "reason", "until"}]}`, return what is known. Throws `configuration` where it cannot be read
 * or is not of that form: without it known findings would look new, and a check must not depend on which.
 */
export async function readBaseline(path: string): Promise<Known[]> {
  const refuse = (what: string): never => {
    throw new OperatorError("configuration", `the baseline ${path}: ${what}`, {
      next: 'mend it: {"known": [{"id": …, "owner": …, "reason": …, "until": "2026-12-31"}]}',
    });
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    return refuse(describeError(error));
  }
  const known = (parsed as { known?: unknown } | null)?.known;
  if (!Array.isArray(known)) return refuse("there is no list known in it");
  return known.map((entry: Record<string, unknown> | null, index) => {
    for (const field of FIELDS)
      if (typeof entry?.[field] !== "string" || entry[field] === "")
        refuse(`known[${index}] has no ${field}`);
    const until = String(entry?.["until"]);
    if (!/^\d{4}-\d\d-\d\d$/.test(until) || Number.isNaN(Date.parse(`${until}T00:00:00Z`)))
      refuse(`known[${index}].until is no day such as 2026-12-31`);
    return entry as unknown as Known;
  });
}

/** The day itself still counts. */
const isOver = (until: string, now: Date): boolean =>
  now.getTime() >= Date.parse(`${until}T00:00:00Z`) + 86_400_000;

/** Given what is known and the time, return what is a finding again. Pure. */
export function findExpired(known: readonly Known[], now: Date): Known[] {
  return known.filter(({ until }) => isOver(until, now));
}

/** Given a report, what is known and the time, return the report with what is known marked. Pure. */
export function applyBaseline(
  report: CheckReport,
  known: readonly Known[],
  now: Date,
): CheckReport {
  const byId = new Map(known.map((entry) => [entry.id, entry]));
  const mark = (finding: Discrepancy): Discrepancy => {
    const entry = byId.get(finding.id);
    if (!entry) return finding;
    const { until, reason, owner } = entry;
    const isExpired = isOver(until, now);
    return { ...finding, known: { until, reason, owner, isExpired } };
  };
  return { ...report, findings: report.findings.map(mark) };
}

/** Given the reports of all checks and what is known, return what is known and was not found by a check that looked at all: it may leave the baseline. Pure. */
export function findGone(reports: readonly CheckReport[], known: readonly Known[]): string[] {
  const found = new Set(reports.flatMap(({ findings }) => findings.map(({ id }) => id)));
  const whole = new Set<string>(
    reports
      .filter(({ state, skipped }) => state === "checked" && skipped.length === 0)
      .map(({ check }) => check),
  );
  return known
    .filter(({ id }) => !found.has(id) && whole.has(id.split(" ")[0] ?? ""))
    .map(({ id }) => id);
}
