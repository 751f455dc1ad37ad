import type { ServiceConfig } from "../../config/schema.ts";
import { countOf } from "../../system/quantities.ts";

/** What is counted of a kind of service; rows of any other. */
const NOUNS: Partial<Record<ServiceConfig["kind"], string>> = {
  graphite: "point",
  elasticsearch: "document",
  s3: "object",
};

/** Given what was counted of a service, return it in its own terms: `1200 documents`. Pure. */
export const describeRows = (rows: number, { kind }: ServiceConfig): string =>
  countOf(rows, NOUNS[kind] ?? "row");
