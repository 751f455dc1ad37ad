import type { BackupWarning } from "../services/backup-driver.ts";
import { countOf } from "../system/quantities.ts";
import type { Manifest } from "./manifest.ts";

type Compared = Pick<Manifest, "service" | "facts" | "parts" | "external">;

/** Codes of its warnings. */
const CODES = ["SHRUNK", "GONE"];
/** Of what there was before: less than that is no day like any other. */
const LEAST_SHARE = 0.5;
/** What is smaller comes and goes: sessions, queues, a table of settings. */
const LEAST_ROWS = 1_000;
const LEAST_BYTES = 1024 * 1024;
/** A day, a month or a turn: `logstash-2026.01.31`, `log_202601`, `logs-000042`. */
const DATE = /\d{4}[._-]?\d\d(?:[._-]?\d\d)?|-\d{6}$/;

/**
 * Given the complete set before and the one that is being made, return what has suddenly shrunk, or is gone: whoever has emptied a table by
 * mistake has days to notice before the last set that has its rows is pruned. What was small stays out, and what is dated and goes while younger ones
 * of its name stay. Pure.
 */
export function findShrinkage(
  before: Compared & Pick<Manifest, "setId">,
  current: Compared & Pick<Manifest, "skipped">,
): BackupWarning[] {
  // Of one that is elsewhere nothing is counted, and another service may be of any size.
  if (before.service !== current.service || before.external || current.external) return [];
  const now = new Map(current.facts.map((fact) => [fact.object, fact]));
  const left = new Set(current.skipped.map(({ object }) => object));
  const objects = before.facts.flatMap(({ object, rows = 0 }): BackupWarning[] => {
    if (rows < LEAST_ROWS || left.has(object)) return [];
    const detail = `${countOf(rows, "row")} in ${before.setId}`;
    const found = now.get(object);
    if (!found && isOutlived(object, now.keys())) return [];
    if (!found) return [{ code: "GONE", object, detail: `it is gone; it had ${detail}` }];
    if (found.rows === undefined || found.rows >= rows * LEAST_SHARE) return [];
    return [{ code: "SHRUNK", object, detail: `${countOf(found.rows, "row")}; it had ${detail}` }];
  });
  const [bytes, bytesBefore] = [countBytes(current), countBytes(before)];
  const isSmaller = bytesBefore >= LEAST_BYTES && bytes < bytesBefore * LEAST_SHARE;
  if (!isSmaller) return objects;
  const share = Math.round((100 * bytes) / bytesBefore);
  return [...objects, { code: "SHRUNK", detail: `the set has ${share} % of ${before.setId}` }];
}

/** Those in earlier sets too, to which it refers. */
const countBytes = ({ parts }: Compared): number =>
  parts.reduce((sum, { plain }) => sum + plain.bytes, 0);

/** Logs of a day go by their age, and no hand is needed for it. */
function isOutlived(object: string, names: Iterable<string>): boolean {
  if (!DATE.test(object)) return false;
  const series = object.replace(DATE, "#");
  return [...names].some((name) => name > object && name.replace(DATE, "#") === series);
}

/** Given warnings of a set, return those as lines for people. Pure. */
export function describeShrinkage(warnings: readonly BackupWarning[]): string[] {
  return warnings
    .filter(({ code }) => CODES.includes(code))
    .map(({ object, detail = "" }) => (object === undefined ? detail : `${object}: ${detail}`));
}
