import { expect, test } from "vitest";
import { describeRows } from "../../../src/commands/backup/describe-rows.ts";
import type { ServiceConfig } from "../../support/known-config.ts";

test.each<[ServiceConfig, string, string]>([
  [{ kind: "graphite", port: 1 }, "1 point", "600 points"],
  [{ kind: "elasticsearch", port: 1 }, "1 document", "600 documents"],
  [{ kind: "s3", bucket: "files" }, "1 object", "600 objects"],
  [{ kind: "mysql", port: 1 }, "1 row", "600 rows"],
])("describeRows uses the unit of $kind", (service, one, many) => {
  expect(describeRows(1, service)).toBe(one);
  expect(describeRows(600, service)).toBe(many);
});
