import type { ServiceConfig } from "../../config/schema.ts";
import { serviceTypeOf } from "../../services/registry.ts";
import { countOf } from "../../system/quantities.ts";

/** Given what was counted of a service, return it in its own terms: `1200 documents`. Pure. */
export const describeRows = (rows: number, { kind }: Pick<ServiceConfig, "kind">): string =>
  countOf(rows, serviceTypeOf(kind).counts ?? "row");
