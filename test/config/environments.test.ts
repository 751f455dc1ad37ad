import { expect, test } from "vitest";
import { environmentOf } from "../../src/config/environments.ts";
import type { Config } from "../support/known-config.ts";

const CONFIG: Config = {
  hosts: { db: { environment: "prod" } },
  services: {
    school: { kind: "mysql", host: "db", environment: "dev", port: 3306 },
    alone: { kind: "mysql", environment: "dev", address: "x", port: 3306 },
    cache: { kind: "redis", address: "x", port: 6379 },
  },
};

test("the environment of a service is that of its host, else its own", () => {
  expect(
    ["school", "alone", "cache", "nosuch"].map((name) =>
      environmentOf(CONFIG.services?.[name], CONFIG),
    ),
  ).toEqual(["prod", "dev", undefined, undefined]);
});
