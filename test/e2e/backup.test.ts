import { afterAll, beforeAll, expect } from "vitest";
import { makeGround, testWith, type Ground } from "../support/ground.ts";
import { type LcopsResult, runLcops } from "../support/run-lcops.ts";

let ground: Ground;
beforeAll(async () => {
  ground = await makeGround();
});
afterAll(() => ground.remove());

const lcops = (...words: string[]): Promise<LcopsResult> =>
  runLcops(words, { environment: ground.environment, timeoutMs: 60_000 });

testWith("graphite", "mysql", "hosts")(
  "all of it",
  async () => {
    for (const line of [
      "backup run -v",
      "backup list",
      "backup verify --level decode -v",
      "backup drill -v",
      "backup status",
      "backup list",
    ]) {
      const result = await lcops(...line.split(" "));
      console.log(line, result);
    }
    expect(1).toBe(1);
  },
  120_000,
);
