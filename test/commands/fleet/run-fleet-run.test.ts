import { describe, expect, test } from "vitest";
import { exitCodeOfResults } from "../../../src/commands/fleet/run-fleet-run.ts";
import type { HostState } from "../../../src/fleet/run-on-hosts.ts";
import { runInProcess } from "../../support/run-in-process.ts";

test.each<[HostState[], boolean, number]>([
  [["done", "done"], false, 0],
  // A host that could not be seen has not done it.
  [["done", "done"], true, 3],
  [["done", "failed"], false, 3],
  [["done", "unknown"], false, 3],
  [["done", "unreached"], false, 3],
  [["done", "untried"], false, 3],
  [["failed", "failed"], false, 1],
  [["unknown"], false, 1],
  [["unreached"], true, 1],
])("hosts that are %j, others not seen: %s, end with %i", (states, isPartial, code) => {
  const results = states.map((state) => ({ state }));
  expect(exitCodeOfResults(results, isPartial)).toBe(code);
});

describe("fleet run", () => {
  test("wants a command before anything is asked", async () => {
    expect(await runInProcess(["fleet", "run", "db"])).toEqual({
      code: 2,
      stdout: "",
      stderr: "lcops: it must be said what to run; lcops fleet run db -- COMMAND\n",
    });
  });

  test("wants hosts, too", async () => {
    expect((await runInProcess(["fleet", "run", "--", "true"])).code).toBe(2);
  });

  test("refuses a host that there is not", async () => {
    const result = await runInProcess(["fleet", "run", "nosuch", "--", "true"], {
      config: () => Promise.resolve({}),
      inventory: () => Promise.resolve({ hosts: [], gaps: [], notes: [], accounts: [] }),
    });
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(/no host matches nosuch/);
  });
});
