import { expect, test } from "vitest";
import { findSides } from "../../../src/commands/db/find-sides.ts";
import type { Config } from "../../../src/config/schema.ts";

const estate = (services: Record<string, [environment: string, database: string]>): Config => ({
  environments: { dev: {}, prod: {} },
  services: Object.fromEntries(
    Object.entries(services).map(([name, [environment, database]]) => [
      name,
      { kind: "mysql", environment, address: "db", port: 3306, database },
    ]),
  ),
});

test("two environments go together service by service", () => {
  const config = estate({ a: ["dev", "x"], b: ["dev", "y"], c: ["prod", "x"], d: ["prod", "y"] });
  const { pairs } = findSides("dev", "prod", config);
  expect(pairs.map((pair) => pair.map(({ name }) => name))).toEqual([
    ["a", "c"],
    ["b", "d"],
  ]);
});

test("a service that would be left out makes it a mistake", () => {
  const config = estate({ a: ["dev", "x"], b: ["dev", "x"], c: ["prod", "x"], d: ["prod", "y"] });
  expect(() => findSides("dev", "prod", config)).toThrow(/do not go together/);
});
