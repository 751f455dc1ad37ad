import type { BackupWarning } from "../services/backup-driver.ts";
import type { Manifest } from "./manifest.ts";

type Compared = Pick<Manifest, "service" | "facts" | "totals" | "external">;

/** Codes of its warnings. */
const CODES = ["SHRUNK", "GONE"];
/** Of what there was before: less than that is no day like any other. */
const LEAST_SHARE = 0.5;
/** What is smaller comes and goes: sessions, queues, a table of settings. */
const LEAST_ROWS = 1_000;
const LEAST_BYTES = 1024 * 1024;

/**
 * Given the complete set before and the one that is being made, return what has suddenly shrunk, or is gone: whoever has emptied a table by
 * mistake has days to notice before the last set that has its rows is pruned. What was small stays out. Pure.
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
    const detail = `${rows} rows in ${before.setId}`;
    const found = now.get(object);
    if (!found) return [{ code: "GONE", object, detail: `it is gone; it had ${detail}` }];
    if (found.rows === undefined || found.rows >= rows * LEAST_SHARE) return [];
    return [{ code: "SHRUNK", object, detail: `${found.rows} rows; it had ${detail}` }];
  });
  const [bytes, bytesBefore] = [current.totals.plainBytes, before.totals.plainBytes];
  const isSmaller = bytesBefore >= LEAST_BYTES && bytes < bytesBefore * LEAST_SHARE;
  if (!isSmaller) return objects;
  const share = Math.round((100 * bytes) / bytesBefore);
  return [...objects, { code: "SHRUNK", detail: `the set has ${share} % of ${before.setId}` }];
}

/** Given warnings of a set, return those as lines for people. Pure. */
export function describeShrinkage(warnings: readonly BackupWarning[]): string[] {
  return warnings
    .filter(({ code }) => CODES.includes(code))
    .map(({ object, detail = "" }) => (object === undefined ? detail : `${object}: ${detail}`));
}
