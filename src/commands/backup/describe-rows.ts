import type { ServiceConfig } from "../../config/schema.ts";

/** What is counted of a kind of service; rows of any other. */
const NOUNS: Partial<Record<ServiceConfig["kind"], string>> = {
  graphite: "point",
  elasticsearch: "document",
  s3: "object",
};

/** Given what was counted of a service, return it in its own terms: `1200 documents`. Pure. */
export const describeRows = (rows: number, { kind }: ServiceConfig): string =>
  describeNumber(rows, NOUNS[kind] ?? "row");

/** Given a number and what it counts, of which there is one, return both: `2 parts`. Pure. */
export const describeNumber = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? "" : "s"}`;
