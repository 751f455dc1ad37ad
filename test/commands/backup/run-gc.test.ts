import { describe, expect, test } from "vitest";
import { describePlan } from "../../../src/commands/backup/run-gc.ts";
import { openFolderStore } from "../../../src/backup/folder-store.ts";
import type { Garbage } from "../../../src/backup/collect-garbage.ts";

const garbage = (keys: string[], bytes: number): Garbage & { job: string } => ({
  job: "graphite",
  store: openFolderStore("server", "/backups"),
  keys,
  bytes,
});

describe("the plan of gc", () => {
  test("counts objects of every destination, and names ten of each", () => {
    const many = Array.from({ length: 12 }, (_, index) => `data/${index}`);
    const plan = describePlan({ garbage: [garbage(many, 1_500), garbage([], 0)], externals: [] });
    expect(plan).toEqual({
      title: "remove 12 objects that no set has, 1.5 kB",
      lines: ["of graphite at server (/backups):", ...many.slice(0, 10), "and 2 more"],
      target: "garbage",
      danger: "destroys",
      isProduction: false,
    });
  });

  test("has what killed runs have made at the service", () => {
    const reference = { kind: "RDS snapshot", id: "lcops-1" };
    const remove = () => Promise.resolve();
    const plan = describePlan({
      garbage: [garbage(["data/1"], 10)],
      externals: [{ job: "school", reference, remove }],
    });
    expect(plan.title).toBe("remove 2 objects that no set has, 10 B");
    expect(plan.lines.at(-1)).toBe("of school: RDS snapshot lcops-1");
  });
});
