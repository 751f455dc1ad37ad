import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeSetGround, type SetGround } from "../../support/set-ground.ts";

let ground: SetGround;
beforeEach(() => {
  ground = makeSetGround();
  ground.members.self = ["/usr/bin/node", "/opt/my lcops/lcops.js", "--json"];
});
afterEach(() => ground.remove());

const schedule = (...words: string[]) => ground.lcops(["backup", "schedule", ...words]);

describe("backup schedule", () => {
  test("runs, verifies, drills and prunes, with whole paths and no flag of its own", async () => {
    ground.configureJob({ schedule: "15 2 * * *", keep: { last: 1 } });
    const { code, stdout, stderr } = await schedule("--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { crontab } = JSON.parse(stdout) as { crontab: string[] };
    const begin = `/usr/bin/node '/opt/my lcops/lcops.js' --config ${ground.at("lcops.config.json")}`;
    expect(crontab.slice(2)).toEqual([
      `15 2 * * * ${begin} backup run graphite`,
      `30 5 * * * ${begin} backup verify`,
      `0 6 1 * * ${begin} backup drill`,
      `0 7 * * * ${begin} backup prune graphite --yes`,
    ]);
  });

  test("confirms by name in production, and leaves out what has no schedule", async () => {
    ground.configureJob({ schedule: "15 2 * * *", keep: { last: 1 } });
    delete ground.config.environments?.["dev"]?.production;
    Object.assign(ground.config.backups?.jobs ?? {}, { "now-and-then": { service: "graphite" } });
    const { stdout, stderr } = await schedule("-v");
    expect(stdout).toMatch(/^0 7 \* \* \* .* backup prune graphite --confirm graphite$/m);
    expect(stdout).toMatch(/^# \/etc\/systemd\/system\/lcops-backup-graphite\.timer$/m);
    expect(stdout).toMatch(/^OnCalendar=\*-\*-\* 02:15:00 UTC$/m);
    expect(stdout).not.toContain("run now-and-then");
    expect(stdout).not.toContain("prune now-and-then");
    expect(stderr).toBe("now-and-then has no schedule, and is in neither\n");
  });

  test("prunes no job that keeps all, and looks at the named jobs alone", async () => {
    ground.configureJob({ schedule: "15 2 * * *" });
    const { stdout } = await schedule("graphite");
    expect(stdout).not.toContain("backup prune");
    expect(stdout).toMatch(/backup verify graphite$/m);
    expect(stdout).toMatch(/backup drill graphite$/m);
  });
});
