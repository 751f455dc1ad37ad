import { describe, expect, test } from "vitest";
import { findSides } from "../../../src/commands/db/find-sides.ts";
import type { Config } from "../../../src/config/schema.ts";
import { runInProcess } from "../../support/run-in-process.ts";

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

test("the only services of two environments go together, whatever they open", () => {
  const config = estate({ a: ["dev", "x"], b: ["prod", "y"] });
  const { pairs, areEnvironments } = findSides("dev", "prod", config);
  expect(pairs.map((pair) => pair.map(({ name }) => name))).toEqual([["a", "b"]]);
  expect(areEnvironments).toBe(true);
});

describe("a side", () => {
  const config = estate({ school: ["prod", "school"], copy: ["dev", "school"], dev: ["dev", "x"] });

  test("is a service, and what stands behind its slash a database of it", () => {
    expect(findSides("school/a", "copy", config).pairs).toEqual([
      [
        { kind: "server", name: "school/a", service: "school", database: "a" },
        { kind: "server", name: "copy", service: "copy", database: undefined },
      ],
    ]);
  });

  test("is a set where it is nothing else, and the server comes first", () => {
    const set = { kind: "set", name: "20260131T021500Z-7f3a9c" };
    for (const [one, other] of [
      ["school", set.name],
      [set.name, "school"],
    ] as const) {
      const [pair] = findSides(one, other, config).pairs;
      expect(pair).toEqual([expect.objectContaining({ service: "school" }), set]);
    }
  });

  test("is a service before it is an environment of that name", () => {
    expect(findSides("dev", "school", config).areEnvironments).toBe(false);
  });
});

describe("db compare", () => {
  const config: Config = {
    ...estate({ school: ["prod", "school"], copy: ["dev", "school"] }),
    hosts: {},
  };
  Object.assign(config.services ?? {}, {
    cache: { kind: "redis", environment: "dev", address: "x", port: 6379 },
  });

  test.each<[string[], RegExp]>([
    [["prod", "school"], /an environment is compared with another environment/],
    [["school", "dev"], /an environment is compared with another environment/],
    [["prod", "prod"], /prod is compared with itself/],
    [["mysql", "nosuch"], /neither mysql nor nosuch is a MySQL service; name one of .*school/],
    [["cache", "school"], /cache is no MySQL service; name one of school, copy/],
    [["constructor", "toString"], /neither constructor nor toString is a MySQL service/],
  ])("%j is refused", async (words, said) => {
    const result = await runInProcess(["db", "compare", ...words], {
      config: () => Promise.resolve(config),
    });
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(said);
  });
});
