import { describe, expect, test } from "vitest";
import { environmentOf, placeOf, replicaOf } from "../../../src/commands/db/open-places.ts";
import type { Config } from "../../../src/config/schema.ts";
import { makeFakeContext } from "../../support/fake-context.ts";

const CONFIG: Config = {
  hosts: { db: { environment: "prod" } },
  services: {
    school: {
      kind: "mysql",
      host: "db",
      environment: "dev",
      port: 3306,
      database: "school",
      replica: { address: "10.0.0.2", port: 3307 },
    },
    alone: { kind: "mysql", environment: "dev", address: "x", port: 3306 },
    cache: { kind: "redis", address: "x", port: 6379 },
  },
};
const { context } = makeFakeContext();

test("the environment of a service is that of its host, else its own", () => {
  expect(["school", "alone", "cache", "nosuch"].map((name) => environmentOf(name, CONFIG))).toEqual(
    ["prod", "dev", undefined, undefined],
  );
});

describe("a MySQL", () => {
  test("is opened by its name, and nothing else is", () => {
    expect(placeOf("school", CONFIG, context, [])).toMatchObject({
      name: "school",
      config: { database: "school" },
    });
    for (const name of ["cache", "nosuch", "constructor"])
      expect(() => placeOf(name, CONFIG, context, [])).toThrow(`there is no MySQL service ${name}`);
  });

  test("has a replica with the same login at another place, where it has one", () => {
    expect(replicaOf("school", CONFIG, context, [])).toMatchObject({
      name: "school-replica",
      config: { host: "db", address: "10.0.0.2", port: 3307, database: "school" },
    });
    expect(replicaOf("alone", CONFIG, context, [])).toBeUndefined();
    expect(replicaOf("cache", CONFIG, context, [])).toBeUndefined();
  });
});
