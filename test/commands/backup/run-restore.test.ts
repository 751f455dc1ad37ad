import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { decideGate } from "../../../src/cli/make-gate.ts";
import { describeRestore, openTarget } from "../../../src/commands/backup/run-restore.ts";
import { withBackups } from "../../../src/commands/backup/open-backups.ts";
import type { RestorePlan } from "../../../src/services/backup-driver.ts";
import { makeFakeContext, tellFailure } from "../../support/fake-context.ts";
import { makeManifest, makeSetGround, type SetGround } from "../../support/set-ground.ts";

const PLAN: RestorePlan = { objects: ["stats"], replaces: [], isSource: false };
const SET = { setId: "20260131T021500Z-7f3a9c", job: "graphite", manifest: makeManifest() };
const describeInto = (into: string, plan: Partial<RestorePlan> = {}, isProduction = false) =>
  describeRestore(SET, { into, only: undefined, isProduction }, { ...PLAN, ...plan });

describe("the plan of a restore", () => {
  test("says what is restored, as of when, where to, and that nothing undoes it", () => {
    expect(describeInto("school-dev/rescued")).toEqual({
      title: "restore 20260131T021500Z-7f3a9c (graphite) into school-dev/rescued",
      lines: ["as of 2026-01-31T02:15:00.000Z, per-object", "stats"],
      target: "school-dev/rescued",
      danger: "destroys",
      isProduction: false,
    });
    const wish = { into: "x", only: "stats.api", isProduction: false };
    expect(describeRestore(SET, wish, PLAN).title).toMatch(/^restore stats\.api of 2026/);
  });

  test("names what is replaced, what is missing, and what the driver warns of", () => {
    const manifest = makeManifest({ skipped: [{ object: "carbon", reason: "no permission" }] });
    const { lines } = describeRestore(
      { ...SET, manifest },
      { into: "x", only: undefined, isProduction: false },
      { ...PLAN, replaces: ["stats"], warnings: [{ code: "OLDER", detail: "than the server" }] },
    );
    expect(lines.slice(1)).toEqual([
      "without carbon: no permission",
      "stats",
      "replaces stats",
      "OLDER than the server",
    ]);
  });

  test("counts what is too much to be named", () => {
    const many = Array.from({ length: 23 }, (_, index) => `t${index}`);
    const skipped = many.map((object) => ({ object, reason: "gone" }));
    const { lines } = describeRestore(
      { ...SET, manifest: makeManifest({ skipped }) },
      { into: "x", only: undefined, isProduction: false },
      { ...PLAN, objects: many, replaces: many },
    );
    expect(lines).toHaveLength(1 + 3 * 21);
    expect(lines[21]).toBe("and without 3 more");
    expect(lines.filter((line) => line === "and 3 more")).toHaveLength(2);
  });

  test("over its own source is guarded as production, wherever that is", () => {
    const plan = describeInto("graphite", { isSource: true });
    expect(plan.isProduction).toBe(true);
    expect(plan.lines).toContain("graphite is what the set was read from");
    expect(() => decideGate(plan, { dryRun: false, yes: true }, false)).toThrow(
      expect.objectContaining({
        kind: "refused",
        next: expect.stringContaining("--confirm graphite") as string,
      }),
    );
    expect(describeInto("prod-db", {}, true).isProduction).toBe(true);
  });
});

let ground: SetGround;
beforeEach(() => {
  ground = makeSetGround();
  Object.assign(ground.config.services ?? {}, {
    school: { kind: "mysql", environment: "prod", address: "db.example", port: 3306 },
  });
});
afterEach(() => ground.remove());

describe("openTarget", () => {
  const open = (into: string, kind: string) =>
    withBackups(makeFakeContext(ground.members).context, (backups) =>
      Promise.resolve(openTarget(into, kind, backups)),
    );

  test.each<[string, string, string | undefined, boolean]>([
    ["graphite", "graphite", undefined, false],
    ["school/rescued", "mysql", "rescued", true],
    ["school/a/b", "mysql", "a/b", true],
    ["school/", "mysql", "", true],
  ])("takes %s of %s apart", async (into, kind, within, isProduction) => {
    const { target, ...guard } = await open(into, kind);
    if (target.kind !== "service") throw new Error("it is a service");
    expect(target.place.name).toBe(into.split("/")[0]);
    expect(target.place.within).toBe(within);
    expect(guard).toEqual({ isProduction });
  });

  test.each(["rescued", "/rescued"])("takes a bucket with %s in it for objects", async (within) => {
    Object.assign(ground.config.services ?? {}, {
      photos: { kind: "s3", environment: "dev", bucket: "school-photos" },
    });
    const { target, isProduction } = await open(`photos/${within}`, "s3");
    expect(target).toMatchObject({
      kind: "bucket",
      place: { name: "photos", within, config: { bucket: "school-photos" } },
    });
    expect(isProduction).toBe(false);
  });

  test.each(["graphite", "s3"])("takes a folder of this machine for %s", async (kind) => {
    const { target, isProduction } = await open("/srv/rescued", kind);
    expect(target).toEqual({ kind: "folder", folder: "/srv/rescued" });
    expect(isProduction).toBe(false);
  });

  test.each([
    [
      "/srv/rescued",
      "mysql",
      "a mysql set is restored into a service, not a folder; name a service after --into",
    ],
    [
      "school",
      "graphite",
      "school is a mysql service, the set is of graphite; name a graphite service after --into",
    ],
    ["nosuch/x", "mysql", "there is no service nosuch; name one of graphite, school"],
    ["constructor", "mysql", "there is no service constructor; name one of graphite, school"],
  ])("refuses %s for a set of %s", async (into, kind, said) => {
    expect(await tellFailure(() => open(into, kind))).toEqual({
      code: 2,
      stdout: "",
      stderr: `lcops: ${said}\n`,
    });
  });
});

describe("backup restore", () => {
  test("wants to be told where to", async () => {
    expect(await ground.lcops(["backup", "restore", "graphite"])).toEqual({
      code: 2,
      stdout: "",
      stderr:
        "lcops: it is not said where the set is restored to; add --into SERVICE, e.g. --into school-dev/rescued\n",
    });
  });

  test("leaves a snapshot of AWS to AWS", async () => {
    const external = { kind: "RDS snapshot", id: "lcops-1" };
    ground.addSet(1, { more: { external } });
    const result = await ground.lcops(["backup", "restore", "graphite", "--into", "graphite"]);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(
      /is a RDS snapshot, which lcops does not restore; restore lcops-1 with AWS's own means\n$/,
    );
  });

  test("says of a set without a manifest that can be believed what is wrong with it", async () => {
    const setId = ground.addSet(1);
    for (const destination of ["server", "operator"])
      writeFileSync(ground.at(destination, "manifests", "graphite", `${setId}.json`), "{}");
    const result = await ground.lcops(["backup", "restore", setId, "--into", "graphite"]);
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toContain(`${setId}: the manifest is damaged`);
  });
});
