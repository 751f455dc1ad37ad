/** Matrices of cases: whole in `npm run conformance`, a case a cell elsewhere. */

/** Whether every case runs. */
export const isWhole = process.env["LCOPS_CONFORMANCE"] === "whole";

/** Takes the cases of a matrix and the cell to which each belongs; returns all of them where it runs whole, else the last of each cell. */
export function chooseCases<T>(cases: readonly T[], cellOf: (one: T) => string): T[] {
  if (isWhole) return [...cases];
  return [...new Map(cases.map((one) => [cellOf(one), one])).values()];
}
