import { describe, expect, test } from "vitest";
import { runUpgrade } from "../../src/fleet/run-upgrade.ts";
import type { UpgradedHost } from "../../src/fleet/upgrade-host.ts";
import type { UpgradeRun } from "../../src/fleet/upgrade-state.ts";

const NAMES = ["a", "b", "c", "d", "e", "f"];

/** A run whose hosts end when they are told to. */
function begin(
  more: {
    atOnce?: number;
    maxFailures?: number;
    isCanary?: boolean;
    run?: UpgradeRun;
    waves?: readonly (readonly string[])[];
    obstacle?: () => string | undefined;
    findIll?: (hosts: readonly string[]) => [host: string, why: string][];
  } = {},
) {
  const { atOnce = 3, maxFailures = 1, isCanary = false } = more;
  const run: UpgradeRun = more.run ?? {
    id: "upgrade-1",
    selectors: [],
    hosts: Object.fromEntries(NAMES.map((name) => [name, { state: "untried", attempt: 0 }])),
  };
  const underWay = new Map<string, (ended: UpgradedHost) => void>();
  const asked: string[] = [];
  let isStopping = false;
  const ended = runUpgrade(run, {
    waves: (more.waves ?? [NAMES]).map((hosts) => ({ isCanary, hosts })),
    atOnce,
    maxFailures,
    soakMs: 0,
    upgrade: (host) =>
      new Promise((resolve) => {
        asked.push(host);
        underWay.set(host, resolve);
      }),
    findIll: (hosts) => Promise.resolve(new Map(more.findIll?.(hosts))),
    onSoak: () => {},
    findObstacle: () => Promise.resolve(more.obstacle?.()),
    save: () => Promise.resolve(),
    isStopping: () => isStopping,
    signal: new AbortController().signal,
    onWave: () => {},
    onHost: () => {},
  });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    run,
    ended,
    asked,
    underWay: () => [...underWay.keys()],
    stop: () => void (isStopping = true),
    turn,
    end: async (host: string, how: UpgradedHost["state"] = "done"): Promise<void> => {
      underWay.get(host)?.({ state: how });
      underWay.delete(host);
      await turn();
    },
  };
}
const states = ({ hosts }: UpgradeRun): string[] => Object.values(hosts).map(({ state }) => state);

describe("a wave", () => {
  test("has no more hosts at once than may be", async () => {
    const { run, ended, underWay, turn, end } = begin();
    await turn();
    for (const host of NAMES) {
      expect(underWay().length).toBeLessThanOrEqual(3);
      expect(underWay()[0]).toBe(host);
      await end(host);
    }
    expect(await ended).toBeUndefined();
    expect(new Set(states(run))).toEqual(new Set(["done"]));
  });

  test("begins none once more are lost than may be, and lets those end that are under way", async () => {
    const { run, ended, asked, turn, end } = begin();
    await turn();
    await end("a", "failed");
    await end("b", "unknown");
    // One may be lost: the turn of `d` came after the first.
    expect(asked).toEqual(["a", "b", "c", "d"]);
    await end("c");
    await end("d");
    expect(await ended).toBe("2 hosts are lost, and 1 may be");
    expect(states(run)).toEqual(["failed", "unknown", "done", "done", "untried", "untried"]);
  });

  test("of canaries begins none behind one that is lost", async () => {
    const { ended, asked, turn, end } = begin({ isCanary: true });
    await turn();
    await end("a", "failed");
    await end("b");
    await end("c");
    expect(await ended).toBe("the canary a is not well");
    expect(asked).toEqual(["a", "b", "c"]);
  });

  test("that is asked to stop begins none of those that wait for their turn", async () => {
    const { run, ended, turn, end, stop } = begin();
    await turn();
    stop();
    for (const host of ["a", "b", "c"]) await end(host);
    expect(await ended).toBe("it was asked to stop");
    expect(states(run).slice(3)).toEqual(["untried", "untried", "untried"]);
  });

  test("looks again at every host that was unknown, whatever their number", async () => {
    const hosts = NAMES.map((name) => [name, { state: "unknown", attempt: 1 }] as const);
    const run: UpgradeRun = { id: "upgrade-1", selectors: [], hosts: Object.fromEntries(hosts) };
    const { ended, asked, turn, end } = begin({ run, atOnce: 1 });
    await turn();
    for (const host of NAMES) await end(host);
    expect(await ended).toBeUndefined();
    expect(asked).toEqual(NAMES);
  });

  test("follows all that was begun before, also behind one that is lost and when asked to stop", async () => {
    const hosts = NAMES.map(
      (name) => [name, { state: name === "f" ? "untried" : "begun", attempt: 1 }] as const,
    );
    const run: UpgradeRun = { id: "upgrade-1", selectors: [], hosts: Object.fromEntries(hosts) };
    const { ended, asked, turn, end, stop } = begin({ run, atOnce: 1, isCanary: true });
    await turn();
    await end("a", "failed");
    stop();
    for (const host of ["b", "c", "d", "e"]) await end(host);
    expect(await ended).toBe("the canary a is not well");
    expect(asked).toEqual(["a", "b", "c", "d", "e"]);
    expect(states(run)).toEqual(["failed", "done", "done", "done", "done", "untried"]);
  });
});

describe("what stands in the way", () => {
  test("before a wave keeps it from being begun, and not before the wave before", async () => {
    let obstacle: string | undefined;
    const waves = [NAMES.slice(0, 2), NAMES.slice(2)];
    const { run, ended, asked, turn, end } = begin({ waves, obstacle: () => obstacle });
    await turn();
    await end("a");
    obstacle = "an alarm says ALARM";
    await end("b");
    expect(await ended).toBe("an alarm says ALARM");
    expect(asked).toEqual(["a", "b"]);
    expect(states(run).slice(2)).toEqual(["untried", "untried", "untried", "untried"]);
  });

  test("keeps nobody from following what was begun before", async () => {
    const hosts = NAMES.map(
      (name) => [name, { state: name === "a" ? "begun" : "untried", attempt: 1 }] as const,
    );
    const run: UpgradeRun = { id: "upgrade-1", selectors: [], hosts: Object.fromEntries(hosts) };
    const waves = [["a"], NAMES.slice(1)];
    const { ended, asked, turn, end } = begin({ run, waves, obstacle: () => "an alarm" });
    await turn();
    await end("a");
    expect(await ended).toBe("an alarm");
    expect(asked).toEqual(["a"]);
  });
});

describe("a host that was upgraded", () => {
  test("is asked once more where its service does not answer at first", async () => {
    const asked: (readonly string[])[] = [];
    const waves = [["a", "b"]];
    const findIll = (hosts: readonly string[]): [string, string][] => {
      asked.push(hosts);
      return asked.length === 1 ? [["b", "it starts"]] : [];
    };
    const { run, ended, turn, end } = begin({ waves, findIll });
    await turn();
    await end("a");
    await end("b");
    expect(await ended).toBeUndefined();
    expect(asked).toEqual([["a", "b"], ["b"]]);
    expect(states(run).slice(0, 2)).toEqual(["done", "done"]);
  });

  test("is asked also where the run ends early, and is not done before", async () => {
    const { run, ended, turn, end } = begin({
      waves: [["a", "b", "c"]],
      isCanary: true,
      findIll: (hosts) => {
        expect([...hosts]).toEqual(["b"].filter((host) => hosts.includes(host)));
        expect(run.hosts["b"]?.state).toBe("begun");
        return [["b", "no longer answering"]];
      },
    });
    await turn();
    await end("a", "failed");
    await end("b");
    await end("c", "failed");
    expect(await ended).toBe("the canary a is not well");
    expect(run.hosts["b"]).toEqual({ state: "failed", attempt: 1, why: "no longer answering" });
  });
});
