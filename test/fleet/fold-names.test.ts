import { describe, expect, test } from "vitest";
import { foldNames } from "../../src/fleet/fold-names.ts";

describe("names are folded", () => {
  test.each<[string, string[]]>([
    ["", []],
    ["db", ["db"]],
    ["api-[1-3]", ["api-1", "api-2", "api-3"]],
    ["api-[1-3,7]", ["api-7", "api-3", "api-1", "api-2"]],
    ["api-[9-11]", ["api-10", "api-11", "api-9"]],
    ["api-1, db, worker-[1,3]", ["api-1", "db", "worker-3", "worker-1"]],
    ["web[001-003]", ["web003", "web002", "web001"]],
    ["web[08-09], web10", ["web09", "web10", "web08"]],
    ["dev-api3-[1-2], prod-api3-1", ["dev-api3-1", "prod-api3-1", "dev-api3-2"]],
    ["n[1-2].eu", ["n1.eu", "n2.eu"]],
    ["api-1", ["api-1"]],
  ])("%s", (folded, names) => {
    expect(foldNames(names)).toBe(folded);
  });
});
