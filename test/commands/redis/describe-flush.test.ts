import { describe, expect, test } from "vitest";
import { decideGate } from "../../../src/cli/make-gate.ts";
import {
  describeFlush,
  describePlace,
  nameFlush,
} from "../../../src/commands/redis/describe-flush.ts";
import type { FlushWish } from "../../../src/commands/redis/flush-wish.ts";
import type { GuardFlags } from "../../../src/system/gate.ts";
import { OPEN_REDIS, REDIS_INFO } from "../../support/fake-redis.ts";
import { tellFailure } from "../../support/fake-context.ts";

const PRODUCTION = { ...OPEN_REDIS, environment: "prod", isProduction: true };

test.each<[FlushWish, string]>([
  [{ kind: "pattern", pattern: "api:*" }, "remove api:* from database 0 of cache"],
  [{ kind: "database" }, "flush database 0 of cache"],
  [{ kind: "all" }, "flush every database of cache"],
])("%j is called %s", (wish, name) => {
  expect(nameFlush(OPEN_REDIS, wish)).toBe(name);
});

test("the number is that of the database that is selected, not that of the wish", () => {
  const open = { ...OPEN_REDIS, place: { ...OPEN_REDIS.place, database: 3 } };
  expect(nameFlush(open, { kind: "database" })).toBe("flush database 3 of cache");
});

describe("the plan of a flush", () => {
  test("shows examples, sizes and the databases that stay, for a pattern", () => {
    const finds = { keys: 20_000, bytes: 2_400_000, examples: ["api:1", "api:2"] };
    const plan = describeFlush(
      OPEN_REDIS,
      { kind: "pattern", pattern: "api:*" },
      REDIS_INFO,
      finds,
    );
    expect(plan).toEqual({
      title: "remove api:* from database 0 of cache: 20,000 keys",
      lines: [
        "127.0.0.1:6379 directly, environment dev",
        "Redis 7.0.15, standalone, up 3 h; master without replicas",
        "such as api:1, api:2",
        "they take about 2.4 MB",
        "it leaves database 3 with 1 key",
        "memory: 12.3 MB of 64.0 MB, allkeys-lru",
        "clients: 14 of 10,000; commands: 1,240 a second; 97.2 % of reads found",
        "what is read then is asked of what stands behind it, until it is filled again",
      ],
      target: "cache",
      danger: "destroys",
      isProduction: false,
      keys: 20_000,
    });
    // Nothing brings the keys back.
    expect(plan.undo).toBeUndefined();
  });

  test("lists every database for --all", () => {
    const { lines } = describeFlush(PRODUCTION, { kind: "all" }, REDIS_INFO, {
      keys: 200_001,
      examples: [],
    });
    expect(lines[0]).toBe("127.0.0.1:6379 directly, environment prod, guarded as production");
    expect(lines).toContain("database 0 with 200,000 keys, database 3 with 1 key");
    expect(lines.join("\n")).not.toContain("it leaves");
  });

  test("says that the replicas lose the same", () => {
    const { lines } = describeFlush(
      OPEN_REDIS,
      { kind: "database" },
      { ...REDIS_INFO, replicas: 1 },
      { keys: 1, examples: [] },
    );
    expect(lines[1]).toContain("master with 1 replica, which lose the same");
  });
});

test("a Redis of no environment is guarded, and says so", () => {
  const open = { ...OPEN_REDIS, environment: undefined, isProduction: true };
  expect(describePlace(open)).toBe(
    "cache: 127.0.0.1:6379 directly, environment none, guarded as production",
  );
});

describe("the gate before a flush of production", () => {
  const plan = describeFlush(PRODUCTION, { kind: "database" }, REDIS_INFO, {
    keys: 1,
    examples: [],
  });
  test.each<[string, Partial<GuardFlags>, string]>([
    ["nothing", {}, "confirm it with --confirm cache"],
    ["--yes alone", { yes: true }, "in production --yes does not do without a terminal"],
    ["another name", { confirm: "dev-cache" }, "--confirm says dev-cache, this is cache"],
    ["an empty name", { confirm: "" }, "--confirm says nothing, this is cache"],
  ])("is not opened by %s", async (_what, flags, said) => {
    const result = await tellFailure(() =>
      decideGate(plan, { dryRun: false, yes: false, ...flags }, false),
    );
    expect(result).toMatchObject({ code: 5, stdout: "" });
    expect(result.stderr).toContain(said);
  });

  test("asks for the name on a terminal, with --yes too", () => {
    for (const yes of [false, true])
      expect(decideGate(plan, { dryRun: false, yes }, true)).toBe("ask name");
  });
});
