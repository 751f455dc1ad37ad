import { describe, expect, test } from "vitest";
import {
  describeCounts,
  describeHosts,
  describeUpgrade,
  nameTarget,
  type UpgradeWish,
} from "../../../src/commands/fleet/describe-upgrade.ts";
import type { UpgradeRun } from "../../../src/fleet/upgrade-state.ts";
import { loseHost, nameHost, planHost } from "../../support/planned-hosts.ts";

const WISH: UpgradeWish = {
  followed: [],
  target: "prod",
  isProduction: true,
  productionHosts: 2,
  reboots: false,
  isFresh: true,
  alarms: undefined,
};
const WAVES = [
  { isCanary: true, hosts: ["api-1"] },
  { isCanary: false, hosts: ["api-2", "api-3"] },
];
const linesOf = (
  planned: Parameters<typeof describeUpgrade>[0],
  wish: Partial<UpgradeWish> = {},
): readonly string[] => describeUpgrade(planned, WAVES, { ...WISH, ...wish }).lines;

describe("the plan of an upgrade", () => {
  test("has hosts with the same plan on one line, the order, and what confirms it", () => {
    const planned = [
      planHost("api-1"),
      planHost("api-2"),
      planHost("api-3"),
      loseHost("db", "no way"),
    ];
    const plan = describeUpgrade(planned, WAVES, WISH);
    expect(plan).toMatchObject({
      title: "upgrade 3 of 4 hosts, 2 of them in production",
      lines: [
        "api-[1-3] (3): 1 package: openssl",
        "db (1): not reached: no way",
        "in this order: canary api-1; api-[2-3]",
      ],
      target: "prod",
      danger: "destroys",
      isProduction: true,
      waves: [["api-1"], ["api-2", "api-3"]],
    });
    expect(plan.undo).toBeUndefined();
    expect(plan.hosts.at(-1)).toEqual({ host: "db", unreached: "no way" });
  });

  test.each<[Parameters<typeof planHost>[1], boolean, string]>([
    [{ packages: [] }, false, "nothing to upgrade"],
    [{ blocked: "its disk is full" }, false, "left out: its disk is full"],
    [
      { packages: Array.from({ length: 10 }, (_, index) => `p${index} [1] (2)`) },
      false,
      "10 packages: p0, p1, p2, p3, p4, p5, p6, p7, and 2 more",
    ],
    [
      { freeKb: { "/": 5_400_000, "/boot": 120_000 }, held: ["linux"], locks: ["apt (pid 7)"] },
      false,
      "1 package: openssl; free: / 5.0 GB, /boot 120 MB; held: linux; apt (pid 7) holds the lock, and is waited for",
    ],
    [{ wantsReboot: true }, true, "1 package: openssl; reboots"],
    [{ wantsReboot: true }, false, "1 package: openssl; wants a reboot, which it does not get"],
  ])("says of a host what is done to it: %#", (plan, reboots, said) => {
    expect(linesOf([planHost("a", plan)], { reboots })[0]).toBe(`a (1): ${said}`);
  });

  test("says what is followed, which lists it goes by, and how the alarms are", () => {
    const ok = Array.from({ length: 9 }, (_, index) => `a${index}`);
    const lines = linesOf([], {
      followed: ["api-1"],
      isFresh: false,
      alarms: { ok, obstacles: [] },
    });
    expect(lines).toEqual([
      "followed, since it was begun before: api-1",
      "in this order: canary api-1; api-[2-3]",
      "alarms that must say OK before each batch, and do: a0, a1, a2, a3, a4, a5, a6, a7, and 1 more",
      "by the lists of packages that the hosts have: a dry run does not ask for newer ones, an upgrade does",
    ]);
    const obstacles = ["alarm x says ALARM"];
    expect(linesOf([], { alarms: { ok: [], obstacles } })).toContain(
      "no further host is begun, since alarm x says ALARM",
    );
  });
});

test("nameTarget returns the name of a single host, else its guarded environments", () => {
  const [dev, prod, loose] = [nameHost("a", "dev"), nameHost("b", "prod"), nameHost("c")];
  expect(nameTarget([prod], [prod])).toBe("b");
  expect(nameTarget([dev, prod], [prod])).toBe("prod");
  expect(nameTarget([dev, prod, loose], [prod, loose])).toBe("prod+unmarked");
  expect(nameTarget([dev, nameHost("d", "dev")], [])).toBe("dev");
});

const RUN: UpgradeRun = {
  id: "upgrade-1",
  selectors: [],
  hosts: {
    "api-1": { state: "done", attempt: 1 },
    "api-2": { state: "done", attempt: 1 },
    "api-3": { state: "done", attempt: 1, note: "it wants a reboot" },
    "api-4": { state: "failed", attempt: 1, why: "nginx has failed", note: "x" },
    "api-5": { state: "untried", attempt: 0 },
    "api-6": { state: "begun", attempt: 1 },
  },
};

test("the hosts of a run are told by state and reason, and counted", () => {
  expect(describeHosts(RUN)).toEqual([
    "done: api-[1-2] (2)",
    "done: api-3 (1): it wants a reboot",
    "failed: api-4 (1): nginx has failed; x",
    "under way: api-6 (1)",
    "never tried: api-5 (1)",
  ]);
  expect(describeCounts(RUN)).toBe("3 done, 1 failed, 1 under way, 1 never tried");
});
