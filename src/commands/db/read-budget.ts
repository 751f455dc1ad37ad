import { OperatorError } from "../../system/errors.ts";

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** Given what stands behind `--budget`, return milliseconds; undefined where nothing does. Throws `usage`. */
export function readBudget(given: unknown): number | undefined {
  if (typeof given !== "string") return undefined;
  const [, count, unit] = /^(\d{1,6})([smh])$/.exec(given) ?? [];
  const budgetMs = Number(count) * (UNITS[unit ?? ""] ?? Number.NaN);
  if (budgetMs > 0) return budgetMs;
  throw new OperatorError("usage", `--budget: ${JSON.stringify(given)} is no time`, {
    next: "say 90s, 30m or 2h",
  });
}
