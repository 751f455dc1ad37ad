/** What a crontab says and what its timer says are the same times, by systemd's own reckoning; its units are valid. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { formatCrontab, formatTimers, toCalendar } from "../../src/backup/format-schedule.ts";

const testWithSystemd = test.skipIf(
  spawnSync("systemd-analyze", ["--version"]).error !== undefined,
);

const BEGIN = Date.parse("2024-01-01T00:00:00Z");
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Whether a field of a crontab has a number; crontab(5). */
function has(text: string, value: number, first: number, last: number): boolean {
  return text.split(",").some((one) => {
    const [range = "*", step = "1"] = one.split("/");
    const [from, to] = range === "*" ? [first, last] : range.split("-").map(Number);
    const end = to ?? (one.includes("/") ? last : (from ?? 0));
    return value >= (from ?? 0) && value <= end && (value - (from ?? 0)) % Number(step) === 0;
  });
}

/** The first times from `BEGIN` at which cron would start it. */
function timesOfCron(cron: string, count: number): string[] {
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = cron.split(" ");
  const times: string[] = [];
  for (let midnight = BEGIN; times.length < count; midnight += DAY_MS) {
    const date = new Date(midnight);
    if (!has(month, date.getUTCMonth() + 1, 1, 12)) continue;
    const isDay = has(day, date.getUTCDate(), 1, 31);
    const isWeekday =
      has(weekday, date.getUTCDay(), 0, 7) || (date.getUTCDay() === 0 && has(weekday, 7, 0, 7));
    const isEither = !day.includes("*") && !weekday.includes("*");
    if (isEither ? !isDay && !isWeekday : !isDay || !isWeekday) continue;
    for (let at = 0; at < 24 * 60; at++) {
      if (has(hour, Math.floor(at / 60), 0, 23) && has(minute, at % 60, 0, 59))
        times.push(new Date(midnight + at * MINUTE_MS).toISOString());
    }
  }
  return times.slice(0, count);
}

/** The same of systemd's calendars. */
function timesOfTimer(calendars: readonly string[], count: number): string[] {
  const said = execFileSync(
    "systemd-analyze",
    [
      "calendar",
      // The base itself is no time of it.
      "--base-time=2023-12-31 23:59:59 UTC",
      `--iterations=${count}`,
      ...calendars,
    ],
    { encoding: "utf8", env: { ...process.env, TZ: "UTC", LC_ALL: "C" } },
  );
  const times = [...said.matchAll(/: \w{3} (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC/g)].map(
    ([, day, time]) => `${day}T${time}.000Z`,
  );
  return [...new Set(times)].toSorted().slice(0, count);
}

describe("a calendar", () => {
  testWithSystemd.each([
    "15 2 * * *",
    "* * * * *",
    "*/15 * * * *",
    "5-20/5,50 1,13 * * *",
    "0 */6 * * *",
    "0 3 1 * *",
    "0 3 */2 * *",
    "0 3 29 2 *",
    "0 3 31 */3 *",
    "0 3 * * 0",
    "0 3 * * 7",
    "30 4 * * 1-5",
    "30 4 * * 5-7",
    "30 4 * * */2",
    "30 4 * 1-6/2 0,3",
    "0 3 13 * 5",
    "0 3 1-7 * 1",
    "0 3 */2 * 1",
    "0 3 1,15 * */3",
  ])("of %j is at the times of cron", (cron) => {
    expect(timesOfTimer(toCalendar(cron), 12)).toEqual(timesOfCron(cron, 12));
  });
});

const ODD = String.raw`/opt/lcops --config '/etc/100%/a $b "c" \d/lcops.json' backup run x`;

test("a crontab has a line for each, and its % escaped", () => {
  const lines = formatCrontab([{ name: "backup-x", cron: "15 2 * * *", command: ODD }]);
  expect(lines.at(-2)).toBe("CRON_TZ=UTC");
  expect(lines.at(-1)).toBe(
    String.raw`15 2 * * * /opt/lcops --config '/etc/100\%/a $b "c" \d/lcops.json' backup run x`,
  );
});

testWithSystemd("systemd takes the units, and the command arrives as it is", () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "lcops-units-"));
  try {
    const units = formatTimers([{ name: "backup-x", cron: "15 2 1 * 1", command: ODD }], "root");
    for (const { path: name, lines } of units)
      writeFileSync(path.join(folder, name), `${lines.join("\n")}\n`);
    expect(units.map(({ path: name }) => name)).toEqual([
      "lcops-backup-x.service",
      "lcops-backup-x.timer",
    ]);
    const { status, stderr } = spawnSync(
      "systemd-analyze",
      ["verify", "--man=no", ...units.map(({ path: name }) => path.join(folder, name))],
      { encoding: "utf8" },
    );
    const ours = stderr.split("\n").filter((line) => line.includes("lcops-backup-x"));
    expect({ status, ours }).toEqual({ status: 0, ours: [] });
    const service = units[0]?.lines.find((line) => line.startsWith("ExecStart=")) ?? "";
    const quoted = /^ExecStart=\/bin\/sh -c "(.*)"$/.exec(service)?.[1] ?? "";
    // What systemd.service(5) and systemd.unit(5) make of it.
    const arrives = quoted.replaceAll(/\\(.)/g, "$1").replaceAll("%%", "%").replaceAll("$$", "$");
    expect(arrives).toBe(`exec ${ODD}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
