import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import {
  describePlans,
  judgeOutcomes,
  pickRepositories,
  renderOutcomes,
  runUpdate,
} from "../../../src/commands/machine/run-update.ts";
import type { Config } from "../../../src/config/schema.ts";
import type { UpdateOutcome } from "../../../src/workstation/carry-out-update.ts";
import { findPrograms } from "../../support/find-programs.ts";
import { type GitGround, hasGit, makeGitGround } from "../../support/git-ground.ts";
import { makeMachineContext } from "../../support/machine-context.ts";
import { makeFakeTerminal, type Setting } from "../../terminal/fake-streams.ts";

const configOf = (repositories: Record<string, { folder: string; url?: string }>): Config => ({
  workstation: { repositories },
});

describe("the repositories that are named", () => {
  const config = configOf({ app: { folder: "/src/app", url: "u" }, api: { folder: "/src/api" } });

  test("are all of them without a name, each once otherwise", () => {
    expect(pickRepositories(config, [])).toEqual([
      { name: "app", folder: "/src/app", url: "u" },
      { name: "api", folder: "/src/api" },
    ]);
    expect(pickRepositories(config, ["api", "api"])).toEqual([{ name: "api", folder: "/src/api" }]);
  });

  test("must be in the configuration", () => {
    expect(() => pickRepositories(config, ["toString"])).toThrow(
      expect.objectContaining({ kind: "usage", next: "name one of app, api" }),
    );
    expect(() => pickRepositories({}, [])).toThrow(
      expect.objectContaining({
        kind: "configuration",
        next: expect.stringContaining("workstation.repositories") as string,
      }),
    );
  });

  test("must have a folder of their own, however it is written", () => {
    const same = configOf({ one: { folder: "/src/app" }, two: { folder: "/src/x/../app/" } });
    expect(() => pickRepositories(same, [])).toThrow("one and two are both in /src/app");
  });
});

const repositoryOf = (name: string) => ({ name, folder: `/src/${name}` });

test("says before it begins what each repository gets", () => {
  const forward = (name: string, commits: number) => ({
    repository: repositoryOf(name),
    status: { branch: "main", changed: 0 },
    kind: "forward" as const,
    from: "a",
    to: "b",
    commits,
  });
  const clone = { repository: repositoryOf("web"), kind: "clone" as const, url: "u" };
  const changes = [forward("app", 2), forward("api", 1), clone];
  const others = [
    { repository: repositoryOf("old"), kind: "skip" as const, why: "a merge is under way" },
    { repository: repositoryOf("new"), kind: "current" as const },
  ];
  expect(describePlans([...changes, ...others], changes)).toMatchObject({
    title: "update 3 of 5 repositories",
    lines: [
      "app: 2 commits into main",
      "api: 1 commit into main",
      "web: clone u into /src/web",
      "old: left as it is, a merge is under way",
    ],
    danger: "writes",
  });
});

test.each<[number, UpdateOutcome["state"][]]>([
  [0, []],
  [0, ["updated", "current", "cloned"]],
  [1, ["skipped"]],
  [1, ["failed", "skipped"]],
  [3, ["updated", "skipped"]],
  [3, ["failed", "current"]],
])("ends with %i after %j", (code, states) => {
  expect(judgeOutcomes(states.map((state) => ({ state })))).toBe(code);
});

describe("the table of outcomes", () => {
  const outcome = (name: string, state: UpdateOutcome["state"], more = {}): UpdateOutcome => ({
    ...repositoryOf(name),
    state,
    pulled: 0,
    ...more,
  });
  const OUTCOMES = [
    outcome("web", "failed", { why: "no network" }),
    outcome("api", "current", { branch: "main", ahead: 1, behind: 0, why: "1 not pushed" }),
    outcome("app", "updated", { branch: "main", ahead: 0, behind: 3, pulled: 3 }),
  ];
  const show = (setting: Setting): [string, string] => {
    const { terminal, out, err } = makeFakeTerminal(setting);
    renderOutcomes(OUTCOMES, { terminal });
    return [out(), err()];
  };
  const pipe = { stdout: false, stderr: false };

  test("has only what is missing in a pipe", () => {
    expect(show(pipe)).toEqual(["web\t\t\t\t0\tfailed\tno network\n", "lcops: not updated: web\n"]);
  });

  test("has all of them with -v, what needs a look last", () => {
    expect(show({ ...pipe, flags: { verbose: true } })[0]).toBe(
      "app\tmain\t0\t3\t3\tupdated\t\napi\tmain\t1\t0\t0\tcurrent\t1 not pushed\nweb\t\t\t\t0\tfailed\tno network\n",
    );
  });

  test("has a head on a screen", () => {
    const [out] = show({ flags: { color: false } });
    expect(out).toMatch(/^REPOSITORY +BRANCH +AHEAD +BEHIND +PULLED +STATE/);
    expect(out.split("\n")).toHaveLength(5);
  });

  test("is one document with --json", () => {
    const [out, err] = show({ flags: { json: true } });
    expect(JSON.parse(out)).toEqual(OUTCOMES);
    expect(err).toBe("");
  });
});

let ground: GitGround;
beforeAll(async () => {
  if (hasGit) ground = await makeGitGround();
});
afterAll(() => ground?.stop());
afterEach(() => void vi.useRealTimers());

const contextOf = (config: Config) =>
  makeMachineContext(ground, config, { stdout: false, stderr: false, flags: { json: true } });

describe.skipIf(!hasGit)("a run", () => {
  test("gives up a remote that is silent for 20 s, and updates the others meanwhile", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const [app, slow] = [await ground.make("app"), await ground.make("slow")];
    const silence = `sleep 1000.${process.pid}`;
    await ground.git(slow.here, "remote", "set-url", "origin", "ssh://127.0.0.1/slow");
    await ground.git(slow.here, "config", "core.sshCommand", `${silence} #`);
    const { context, out, err, written } = contextOf(
      configOf({ app: { folder: app.here }, slow: { folder: slow.here } }),
    );
    let hasEnded = false;
    const input = { operands: [], options: {} };
    const running = runUpdate(input, context).finally(() => (hasEnded = true));
    running.catch(() => undefined);
    // The clock moves only while the silent remote alone is waited for.
    for (let seconds = 0; !hasEnded && seconds < 60;) {
      await new Promise((resolve) => setImmediate(resolve));
      const [silent, working] = [await findPrograms(silence), await findPrograms(app.here)];
      if (silent.length === 0 || working.length > 0) continue;
      vi.advanceTimersByTime(1_000);
      seconds++;
    }
    expect(await running).toBe(3);
    expect(JSON.parse(out())).toMatchObject([
      { name: "app", state: "updated" },
      { name: "slow", state: "failed", why: "git has heard nothing for 20 s" },
    ]);
    expect(err()).toBe("");
    expect(await findPrograms(silence)).toEqual([]);
    expect(written).toMatchObject([
      { change: expect.stringContaining(`fast-forward app in ${app.here} from `) as string },
      { state: "done" },
    ]);
  });

  test("asks before it changes, and not where nothing is to be done", async () => {
    const made = await ground.make();
    const { context, asked } = contextOf(configOf({ app: { folder: made.here } }));
    const input = { operands: [], options: {} };
    const refusing = { ...context, gate: () => Promise.resolve(false) };
    expect(await runUpdate(input, refusing)).toBe(0);
    expect(await ground.git(made.here, "rev-list", "--count", "HEAD")).toBe("1");
    expect(await runUpdate(input, context)).toBe(0);
    expect(await ground.git(made.here, "rev-list", "--count", "HEAD")).toBe("2");
    expect(await runUpdate(input, context)).toBe(0);
    expect(asked).toHaveLength(1);
  });
});
