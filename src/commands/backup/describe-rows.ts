import type { ServiceConfig } from "../../config/schema.ts";
import { serviceTypeOf } from "../../services/registry.ts";

/** Given what was counted of a service, return it in its own terms: `1200 documents`. Pure. */
export const describeRows = (rows: number, { kind }: Pick<ServiceConfig, "kind">): string =>
  describeNumber(rows, serviceTypeOf(kind).counts ?? "row");

/** Given a number and what it counts, of which there is one, return both: `2 parts`. Pure. */
export const describeNumber = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? "" : "s"}`;
