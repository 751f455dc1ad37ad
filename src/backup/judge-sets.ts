import type { BackupJobConfig } from "../config/backup-schema.ts";
import { countOf } from "../system/quantities.ts";
import type { Manifest } from "./manifest.ts";
import type { DrillReport, Report } from "./reports.ts";

/** A drill that is older says little of what is stored now. */
const USUAL_DRILL_DAYS = 35;
/** A day, and the time that the run itself takes. */
const USUAL_AGE_HOURS = 26;
const HOUR_MS = 3_600_000;
/** What a clock may be wrong by. */
export const SKEW_MS = 5 * 60_000;

/** What of a set says whether it can be trusted. */
interface JudgedSet {
  setId: string;
  manifest: Pick<Manifest, "startedAt" | "result" | "external">;
  reports: readonly Report[];
}

/** The sets of a job at one destination, oldest first, and the manifests there that cannot be believed. */
export interface JudgedShelf<S extends JudgedSet = JudgedSet> {
  store: { name: string };
  sets: readonly S[];
  bad: readonly { setId: string; problem: string }[];
}

/** Given reports, return the latest of a kind. Pure. */
export function lastOf<K extends Report["kind"]>(
  reports: readonly Report[],
  kind: K,
): Extract<Report, { kind: K }> | undefined {
  return reports
    .filter((report): report is Extract<Report, { kind: K }> => report.kind === kind)
    .toSorted((one, other) => (one.at < other.at ? -1 : 1))
    .at(-1);
}

/** Given reports of a set, return its last drill that came to a verdict: one that found no scratch server takes nothing back. Pure. */
export function lastVerdict(reports: readonly Report[]): DrillReport | undefined {
  return lastOf(
    reports.filter((one) => one.kind !== "drill" || one.verdict !== "not drilled"),
    "drill",
  );
}

/** Given reports of a set, return whether the last look at it has found damage. Pure. */
export function isDamaged(reports: readonly Report[]): boolean {
  return lastOf(reports, "verify")?.ok === false;
}

/** Given reports of a set, return whether all its bytes were compared, and nothing was found since. Pure. */
function isVerified(reports: readonly Report[]): boolean {
  return (
    lastOf(reports, "verify")?.ok === true &&
    reports.some((one) => one.kind === "verify" && one.ok && one.level !== "sizes")
  );
}

/** Given what is at a destination, return its newest complete set; one of the future, where a clock was wrong, is none. Pure. */
export function findNewest<S extends JudgedSet>(
  { sets }: JudgedShelf<S>,
  now: Date,
): S | undefined {
  return sets.findLast((set) => set.manifest.result === "complete" && !isFuture(set, now));
}

/** Given shelves of a job, return the set that was proven last, and by what. Pure. */
export function findProven<S extends JudgedSet>(
  shelves: readonly JudgedShelf<S>[],
): { set: S; report: DrillReport } | undefined {
  return shelves
    .flatMap(({ sets }) =>
      sets.flatMap((set) => {
        const report = lastVerdict(set.reports);
        return report?.verdict === "proven" ? [{ set, report }] : [];
      }),
    )
    .toSorted((one, other) => (one.report.at < other.report.at ? -1 : 1))
    .at(-1);
}

/**
 * Given what is at a destination, return why nothing may be removed there, and what to do about that; undefined where what is left is known
 * to be good: the newest set was verified, and a drill has proven one of late, where its bytes are lcops' own. Pure.
 */
export function refusePruning(
  shelf: JudgedShelf,
  job: Pick<BackupJobConfig, "drillDays">,
  now: Date,
): { why: string; mend: "run" | "verify" | "drill" } | undefined {
  const newest = findNewest(shelf, now);
  if (!newest) return { why: "there is no complete set", mend: "run" };
  const damaged = shelf.bad.find(({ setId }) => setId > newest.setId);
  if (damaged) return { why: `${damaged.setId}, the newest, is damaged`, mend: "run" };
  if (isDamaged(newest.reports)) return { why: "the newest set is damaged", mend: "run" };
  if (!isVerified(newest.reports))
    return { why: "the newest set was not verified", mend: "verify" };
  // No drill can restore it: that its bytes are there and usable is what verify asks.
  if (isBeyondDrills(newest)) return undefined;
  const days = job.drillDays ?? USUAL_DRILL_DAYS;
  const proven = findProven([shelf]);
  const ageMs = proven ? now.getTime() - Date.parse(proven.report.at) : Infinity;
  if (ageMs < days * 24 * HOUR_MS && ageMs > -SKEW_MS) return undefined;
  return { why: `no drill of the last ${countOf(days, "day")} has proven a set`, mend: "drill" };
}

/**
 * Given the shelves of a job, return line by line what is overdue or damaged of it; `isWhole`: every destination has answered, so that what is
 * not seen is not there. Pure.
 */
export function findOverdue(
  shelves: readonly JudgedShelf[],
  job: Pick<BackupJobConfig, "drillDays" | "maxAgeHours">,
  { now, isWhole }: { now: Date; isWhole: boolean },
): string[] {
  const found = shelves.flatMap((shelf) => {
    const newest = findNewest(shelf, now);
    const ageMs = newest ? now.getTime() - Date.parse(newest.manifest.startedAt) : 0;
    const lines = [
      ...(newest ? [] : ["there is no complete set"]),
      ...(ageMs > (job.maxAgeHours ?? USUAL_AGE_HOURS) * HOUR_MS
        ? [`the newest set is ${describeSpan(ageMs)} old`]
        : []),
      ...(newest && isDamaged(newest.reports) ? [`${newest.setId} is damaged`] : []),
      ...shelf.bad.map(({ setId, problem }) => `${setId}: ${problem}`),
      ...shelf.sets
        .filter((set) => isFuture(set, now))
        .map(({ setId }) => `${setId} is dated in the future: a clock is wrong`),
    ];
    return lines.map((line) => `${shelf.store.name}: ${line}`);
  });
  const newest = shelves.flatMap((shelf) => findNewest(shelf, now) ?? []);
  if (newest.some(isBeyondDrills)) return found;
  const proven = findProven(shelves);
  const days = job.drillDays ?? USUAL_DRILL_DAYS;
  const ageMs = proven ? now.getTime() - Date.parse(proven.report.at) : 0;
  return [
    ...found,
    ...(!proven && isWhole ? ["no set is proven by a drill"] : []),
    ...(ageMs > days * 24 * HOUR_MS ? [`the last drill is ${describeSpan(ageMs)} old`] : []),
  ];
}

const isBeyondDrills = ({ manifest: { external } }: JudgedSet): boolean =>
  external !== undefined && !external.isRestorable;

function isFuture({ manifest }: JudgedSet, now: Date): boolean {
  return Date.parse(manifest.startedAt) > now.getTime() + SKEW_MS;
}

function describeSpan(ms: number): string {
  const hours = Math.floor(ms / HOUR_MS);
  return hours < 72 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}
