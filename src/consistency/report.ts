/** What a check says of itself: what it looked at, what it could not look at and why, and what it found. */

export const CHECKS = [
  "health",
  "schema",
  "replica",
  "references",
  "objects",
  "search",
  "items",
] as const;
export type CheckName = (typeof CHECKS)[number];
/** What a comparison of two servers reports of their rows. */
export type ReportName = CheckName | "rows";

/** Something that is not as it must be. */
export interface Discrepancy {
  /** Stays the same from run to run, for the baseline: `replica school.students id=17 email`. */
  id: string;
  /** A table, a relation, a setting, a server. */
  object: string;
  /** Of the row, the object of a bucket, the document. */
  key?: string;
  column?: string;
  /** With what it does not agree, where that may be one of several. */
  against?: string;
  kind: string;
  /** One line; not yet printable. No value of a row stands in it. */
  detail: string;
  /** What the baseline says of it. */
  known?: { until: string; reason: string; owner: string; isExpired: boolean };
}

interface Skipped {
  object: string;
  why: string;
  /** A run that goes on comes to it. */
  isLeft?: true;
}

export interface CheckReport {
  check: ReportName;
  /** What was compared with what: `school and its replica`. */
  about: string;
  /** `checked`: what is not in `skipped` was looked at, to its end. */
  state: "checked" | "skipped" | "not configured";
  /** How much was looked at: `{ tables: 9, rows: 8211 }`. */
  looked: Readonly<Record<string, number>>;
  /** What was not, and why; never empty where the state is `skipped`. */
  skipped: readonly Skipped[];
  /** What the configuration leaves out. */
  excluded: readonly string[];
  findings: readonly Discrepancy[];
  /** Beyond those listed, there are so many more at least. */
  more: number;
}

/** Findings are listed up to so many a check; the rest is counted. */
const LISTED_FINDINGS = 1_000;

export interface ReportDraft {
  look(what: string, count: number): void;
  skip(object: string, why: string): void;
  /** For want of time, or because somebody did not answer: who goes on comes to it. */
  leave(object: string, why: string): void;
  exclude(object: string): void;
  /** Returns whether there is room for more. */
  find(found: Omit<Discrepancy, "id" | "known">): boolean;
  isFull(): boolean;
  hasSkipped(): boolean;
  end(): CheckReport;
}

/** Given a check, what it is about and what an earlier run has found of it, return what gathers its report. */
export function draftReport(check: ReportName, about: string, earlier?: CheckReport): ReportDraft {
  const looked: Record<string, number> = { ...earlier?.looked };
  const skipped: Skipped[] = (earlier?.skipped ?? []).filter(({ isLeft }) => !isLeft);
  const excluded = new Set(earlier?.excluded);
  const findings = new Map(earlier?.findings.map((found) => [found.id, found]));
  let more = earlier?.more ?? 0;
  return {
    look: (what, count) => void (looked[what] = (looked[what] ?? 0) + count),
    skip: (object, why) => {
      const isTold = skipped.some((one) => one.object === object && one.why === why);
      if (!isTold) skipped.push({ object, why });
    },
    leave: (object, why) => void skipped.push({ object, why, isLeft: true }),
    exclude: (object) => void excluded.add(object),
    find: (found) => {
      const { object, kind, key, column, against } = found;
      const id = [check, object, kind, key, column, against && `against ${against}`]
        .filter((part) => part !== undefined)
        .join(" ");
      if (findings.has(id)) return true;
      if (findings.size >= LISTED_FINDINGS) more++;
      else findings.set(id, { id, ...found });
      return findings.size < LISTED_FINDINGS;
    },
    isFull: () => findings.size >= LISTED_FINDINGS,
    hasSkipped: () => skipped.length > 0,
    end: () => {
      const hasLooked = Object.values(looked).some((count) => count > 0) || findings.size > 0;
      // To have seen nothing is no success.
      const why = "there is nothing to be looked at";
      return {
        check,
        about,
        state: hasLooked ? "checked" : "skipped",
        looked: { ...looked },
        skipped: hasLooked || skipped.length > 0 ? [...skipped] : [{ object: about, why }],
        excluded: [...excluded],
        findings: [...findings.values()],
        more,
      };
    },
  };
}

/** Given a check that nobody has configured, return its report. Pure. */
export function notConfigured(check: ReportName, about: string): CheckReport {
  const state = "not configured";
  return { check, about, state, looked: {}, skipped: [], excluded: [], findings: [], more: 0 };
}

/** Given a check that could not be done at all, return its report. Pure. */
export function skippedWhole(check: ReportName, about: string, why: string): CheckReport {
  return {
    check,
    about,
    state: "skipped",
    looked: {},
    skipped: [{ object: about, why }],
    excluded: [],
    findings: [],
    more: 0,
  };
}

/** Given a finding, say whether it is one that the baseline does not bear. Pure. */
export const isNews = ({ known }: Discrepancy): boolean => known === undefined || known.isExpired;

/**
 * Given the reports, return the exit code: 4 where something was found that is not known, else 1 where nothing at all
 * was looked at, else 3 where something was not, else 0. What nobody has configured is no gap. Pure.
 */
export function judgeReports(reports: readonly CheckReport[]): 0 | 1 | 3 | 4 {
  if (reports.some(({ findings, more }) => more > 0 || findings.some(isNews))) return 4;
  if (!reports.some(({ state }) => state === "checked")) return 1;
  const isGap = ({ state, skipped }: CheckReport): boolean =>
    state === "skipped" || skipped.length > 0;
  return reports.some(isGap) ? 3 : 0;
}
