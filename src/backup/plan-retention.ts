import type { KeepConfig } from "../config/backup-schema.ts";
import { SKEW_MS } from "./judge-sets.ts";

/** What of a set decides whether it is kept. */
export interface Kept {
  setId: string;
  /** When it was begun. */
  at: Date;
  result: "complete" | "incomplete";
  /** Whether a drill has proven it. */
  isProven: boolean;
  /** Earlier sets of which it has parts; absent: none. */
  refersTo?: readonly string[];
}

export interface Decision {
  setId: string;
  keep: boolean;
  /** Each rule that keeps it, or why nothing does. */
  reasons: string[];
}

export interface RetentionOptions {
  /** Absent: all are kept. */
  keep: KeepConfig | undefined;
  /** Where days, weeks, months and years begin. */
  timeZone: string;
  now: Date;
}

/** An incomplete set is of use until complete ones are plenty. */
const INCOMPLETE_MS = 14 * 24 * 3_600_000;

/**
 * Given the sets of a job at one destination, return for each whether it is kept, and why, newest first. Rules are joined by or. Only periods that have a
 * complete set count, and the newest of each is kept, so that a pause pushes nothing out; incomplete sets never do either. Kept in any case are the newest
 * complete set, the last that was proven, and those of the future, which say that a clock is wrong and count for nothing else; and whatever a kept one
 * refers to. Pure.
 */
export function planRetention(sets: readonly Kept[], options: RetentionOptions): Decision[] {
  const { keep, timeZone, now } = options;
  const newestFirst = sets.toSorted(
    (one, other) => other.at.getTime() - one.at.getTime() || (one.setId < other.setId ? 1 : -1),
  );
  const isFuture = ({ at }: Kept): boolean => at.getTime() > now.getTime() + SKEW_MS;
  const complete = newestFirst.filter((set) => set.result === "complete" && !isFuture(set));
  const reasons = new Map<string, string[]>();
  const keepFor = (set: Kept | undefined, reason: string): void => {
    if (set) reasons.set(set.setId, [...(reasons.get(set.setId) ?? []), reason]);
  };
  for (const set of newestFirst.filter(isFuture)) keepFor(set, "it is dated in the future");
  keepFor(complete[0], "the newest");
  keepFor(
    complete.find(({ isProven }) => isProven),
    "the last that was proven",
  );
  if (!keep) for (const set of newestFirst) if (!isFuture(set)) keepFor(set, "no rule removes any");
  for (const set of complete.slice(0, keep?.last ?? 0))
    keepFor(set, `one of the last ${keep?.last}`);
  const periodOf = makePeriods(timeZone);
  for (const name of ["daily", "weekly", "monthly", "yearly"] as const) {
    const count = keep?.[name] ?? 0;
    const seen = new Set<string>();
    for (const set of complete) {
      const period = periodOf(name, set.at);
      if (seen.has(period)) continue;
      if (seen.size === count) break;
      seen.add(period);
      keepFor(set, `${name} ${period}`);
    }
  }
  for (const set of newestFirst.filter((one) => one.result === "incomplete" && !isFuture(one)))
    if (keep && now.getTime() - set.at.getTime() < INCOMPLETE_MS)
      keepFor(set, "incomplete, for 14 days");
  keepReferred(newestFirst, reasons);
  return newestFirst.map(({ setId, result }) => {
    const why = reasons.get(setId);
    const none =
      result === "incomplete" ? "incomplete, and older than 14 days" : "no rule keeps it";
    return { setId, keep: why !== undefined, reasons: why ?? [none] };
  });
}

/** A set without the parts that it refers to would be none; also where a clock that was wrong has put them in another order. */
function keepReferred(sets: readonly Kept[], reasons: Map<string, string[]>): void {
  const bySetId = new Map(sets.map((set) => [set.setId, set]));
  // A map's iteration comes to what is added meanwhile.
  for (const setId of reasons.keys())
    for (const referred of new Set(bySetId.get(setId)?.refersTo))
      if (bySetId.has(referred))
        reasons.set(referred, [...(reasons.get(referred) ?? []), `${setId} has parts of it`]);
}

/** How the days of a place are called: `2026-01-31`; of weeks, those of ISO 8601. */
function makePeriods(
  timeZone: string,
): (name: "daily" | "weekly" | "monthly" | "yearly", at: Date) => string {
  const format = new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  // Its parts, since the order in which a locale writes them has changed between versions of ICU.
  const dayOf = (at: Date): string => {
    const parts = Object.fromEntries(format.formatToParts(at).map((one) => [one.type, one.value]));
    return `${parts["year"]}-${parts["month"]}-${parts["day"]}`;
  };
  return (name, at) => {
    const day = dayOf(at);
    if (name === "daily") return day;
    if (name === "weekly") return weekOf(day);
    return name === "monthly" ? day.slice(0, 7) : day.slice(0, 4);
  };
}

/** ISO 8601: a week belongs to the year of its Thursday. */
function weekOf(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  const thursday = new Date(date);
  thursday.setUTCDate(date.getUTCDate() + 3 - ((date.getUTCDay() + 6) % 7));
  const year = thursday.getUTCFullYear();
  const days = (thursday.getTime() - Date.UTC(year, 0, 1)) / (24 * 3_600_000);
  return `${year}-W${String(Math.floor(days / 7) + 1).padStart(2, "0")}`;
}
