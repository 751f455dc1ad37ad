import { expect, test } from "vitest";
import { renderInfo } from "../../../src/commands/redis/run-info.ts";
import type { RedisInfo } from "../../../src/services/redis/read-info.ts";
import { PIPED } from "../../support/fake-context.ts";
import { OPEN_REDIS, REDIS_INFO } from "../../support/fake-redis.ts";
import { makeFakeTerminal } from "../../terminal/fake-streams.ts";

function render(info: RedisInfo, masters?: readonly string[], json = false): string {
  const { terminal, out } = makeFakeTerminal({ ...PIPED, flags: { json } });
  renderInfo({ ...OPEN_REDIS, isProduction: true }, info, masters, { terminal });
  return out();
}

test("renderInfo prints one line for each value in a pipe", () => {
  expect(render(REDIS_INFO)).toBe(
    [
      "where\t127.0.0.1:6379 directly",
      "environment\tdev, guarded as production",
      "server\tRedis 7.0.15, standalone, up 3 h",
      "role\tmaster without replicas",
      "memory\t12.3 MB of 64.0 MB, allkeys-lru",
      "clients\t14 of 10,000",
      "commands\t1,240 a second; 97.2 % of reads found",
      "database 0\t200,000 keys, 300 of which expire",
      "database 3\t1 key, 1 of which expires",
      "",
    ].join("\n"),
  );
});

test("an empty Redis says so, and a node of a cluster names the masters", () => {
  const text = render({ ...REDIS_INFO, mode: "cluster", databases: [] }, ["10.0.0.1:6379", "b:1"]);
  expect(text).toMatch(/^databases\tall empty$/m);
  expect(text).toMatch(/^masters\t10\.0\.0\.1:6379, b:1$/m);
});

test("the document of --json has all of it, for scripts", () => {
  expect(JSON.parse(render(REDIS_INFO, ["a:1"], true))).toEqual({
    service: "cache",
    environment: "dev",
    where: "127.0.0.1:6379 directly",
    ...REDIS_INFO,
    masters: ["a:1"],
  });
});
