import { describe, expect, test } from "vitest";
import { tell } from "../../../src/commands/fleet/run-fleet-upgrade.ts";
import type { UpgradeRun, UpgradeState } from "../../../src/fleet/upgrade-state.ts";
import { PIPED } from "../../support/fake-context.ts";
import { runInProcess } from "../../support/run-in-process.ts";
import { makeFakeTerminal, type Setting } from "../../terminal/fake-streams.ts";

function end(
  states: UpgradeState[],
  { id = "upgrade-1", isPartial = false, early = undefined as string | undefined } = {},
  setting: Setting = PIPED,
) {
  const hosts = Object.fromEntries(
    states.map((state, index) => [`h${index}`, { state, attempt: 1 }]),
  );
  const run: UpgradeRun = { id, selectors: [], hosts };
  const { terminal, out, err } = makeFakeTerminal(setting);
  const code = tell(run, isPartial, early, { terminal });
  return { code, out: out(), err: err() };
}

describe("an upgrade that is over", () => {
  test.each<[UpgradeState[], boolean, number]>([
    [["done", "unchanged"], false, 0],
    [["done"], true, 3],
    [["done", "failed"], false, 3],
    [["done", "untried"], false, 3],
    [["failed", "untried"], false, 1],
    [["unchanged", "failed"], false, 1],
    [["unknown"], false, 1],
  ])("with hosts that are %j, others not seen: %s, ends with %i", (states, isPartial, code) => {
    expect(end(states, { isPartial }).code).toBe(code);
  });

  test("is silent in cron where all is well, and tells everything where it is not", () => {
    expect(end(["done"])).toEqual({ code: 0, out: "", err: "" });
    expect(end(["done", "failed"], { early: "alarm x says ALARM" })).toEqual({
      code: 3,
      out: "done: h0 (1)\nfailed: h1 (1)\n",
      err: "lcops: it ended early, since alarm x says ALARM: 1 done, 1 failed; mend what has failed, then lcops fleet upgrade --resume\n",
    });
    expect(end(["failed"], { id: "" }).err).toContain(
      "nothing was begun; mend what stands in the way",
    );
  });

  test("is one last event with --json", () => {
    const { out } = end(["done"], {}, { ...PIPED, flags: { json: true } });
    expect(JSON.parse(out)).toMatchObject({ event: "end", early: null, id: "upgrade-1" });
  });
});

test("--resume takes no selectors", async () => {
  const folders = { config: "/x", state: "/nosuch-unit", cache: "/x", runtime: "/x" };
  expect(await runInProcess(["fleet", "upgrade", "web", "--resume"], { folders })).toEqual({
    code: 2,
    stdout: "",
    stderr:
      "lcops: --resume goes on with the hosts of the last upgrade; leave the selectors away\n",
  });
});
