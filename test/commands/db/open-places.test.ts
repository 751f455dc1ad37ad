import { describe, expect, test } from "vitest";
import { placeOf, replicaOf } from "../../../src/commands/db/open-places.ts";
import type { Config } from "../../support/known-config.ts";
import { openService, type OpenServices } from "../../../src/reach/open-service.ts";
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
const open: OpenServices = (name, service) => openService(name, service, CONFIG, context);

describe("a MySQL", () => {
  test("is opened by its name, and nothing else is", () => {
    expect(placeOf("school", CONFIG, open)).toMatchObject({
      name: "school",
      config: { database: "school" },
    });
    for (const name of ["cache", "nosuch", "constructor"])
      expect(() => placeOf(name, CONFIG, open)).toThrow(`there is no MySQL service ${name}`);
  });

  test("has a replica with the same login at another place, where it has one", () => {
    expect(replicaOf("school", CONFIG, open)).toMatchObject({
      name: "school-replica",
      config: { host: "db", address: "10.0.0.2", port: 3307, database: "school" },
    });
    expect(replicaOf("alone", CONFIG, open)).toBeUndefined();
    expect(replicaOf("cache", CONFIG, open)).toBeUndefined();
  });
});
