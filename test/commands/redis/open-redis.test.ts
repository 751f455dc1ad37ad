import { describe, expect, test } from "vitest";
import { findRedis } from "../../../src/commands/redis/open-redis.ts";
import type { RedisConfig } from "../../../src/services/redis/settings.ts";
import type { Config } from "../../support/known-config.ts";
import { tellFailure } from "../../support/fake-context.ts";
import { runInProcess } from "../../support/run-in-process.ts";

const redis = (more: Partial<RedisConfig>): RedisConfig => ({ kind: "redis", port: 6379, ...more });
const CONFIG: Config = {
  environments: { dev: { production: false }, prod: {} },
  hosts: { "prod-api": { environment: "prod" }, "dev-api": { environment: "dev" } },
  services: {
    "dev-cache": redis({ host: "dev-api" }),
    sessions: redis({ host: "prod-api" }),
    pages: redis({ host: "prod-api" }),
    cache: redis({ environment: "dev", address: "cache.example" }),
    "dev-api": redis({ environment: "dev", address: "named-like-a-host.example" }),
    school: { kind: "mysql", address: "db.example", port: 3306 },
  },
};

describe("findRedis", () => {
  test("finds a Redis by its own name before that of a host", () => {
    expect(findRedis(CONFIG, "cache").name).toBe("cache");
    expect(findRedis(CONFIG, "dev-api").service.address).toBe("named-like-a-host.example");
  });

  test("finds the only one that is reached through a host", () => {
    const { "dev-api": _like, ...services } = CONFIG.services ?? {};
    expect(findRedis({ ...CONFIG, services }, "dev-api").name).toBe("dev-cache");
  });

  test.each<[string, Config, string]>([
    ["prod-api", CONFIG, "several are reached through prod-api: sessions, pages; name one of them"],
    [
      "nosuch",
      CONFIG,
      'there is no redis nosuch, and none is reached through a host of that name; there are dev-cache, sessions, pages, cache, dev-api; "host" of a service says through which host it is reached',
    ],
    [
      "school",
      { services: { school: { kind: "mysql", address: "x", port: 1 } } },
      "there is no redis school, and none is reached through a host of that name; add one to the services of the configuration",
    ],
    [
      "undefined",
      { services: { cache: redis({ address: "x" }) } },
      'there is no redis undefined, and none is reached through a host of that name; there are cache; "host" of a service says through which host it is reached',
    ],
  ])("refuses %s and names the configured services", async (target, config, said) => {
    expect(await tellFailure(() => findRedis(config, target))).toEqual({
      code: 2,
      stdout: "",
      stderr: `lcops: ${said}\n`,
    });
  });
});

const members = { config: () => Promise.resolve(CONFIG) };

test("a flush of a target that is none is refused with those that there are", async () => {
  const result = await runInProcess(["redis", "flush", "nosuch", "--db"], members);
  expect(result).toMatchObject({ code: 2, stdout: "" });
  expect(result.stderr).toMatch(/there is no redis nosuch.*; there are .*cache/);
});

test.each([
  ["cache", "prod", "cache belongs to dev, not to prod; correct --env or the target"],
  ["sessions", "dev", "sessions belongs to prod, not to dev; correct --env or the target"],
])("a flush of %s with --env %s is refused before it is reached", async (name, env, said) => {
  const words = ["redis", "flush", name, "--db", "--yes", "--env", env];
  const result = await runInProcess(words, members);
  expect(result).toMatchObject({ code: 2, stdout: "" });
  expect(result.stderr).toContain(said);
});
