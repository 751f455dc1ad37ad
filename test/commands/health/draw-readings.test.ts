import { describe, expect, test } from "vitest";
import { drawReadings } from "../../../src/commands/health/draw-readings.ts";
import type { ShownReading } from "../../../src/commands/health/describe-readings.ts";
import { makeReading, NOW } from "../../support/fake-readings.ts";
import { makeFakeTerminal, type Setting } from "../../terminal/fake-streams.ts";

const draw = (
  readings: ShownReading[],
  rows: number,
  { lines = new Map() as Parameters<typeof drawReadings>[1], flags = {} as Setting["flags"] } = {},
): string[] => {
  const { terminal } = makeFakeTerminal({ flags: { color: false, ...flags } });
  return drawReadings(readings, lines, terminal, { columns: 60, rows }, NOW);
};
const many = (count: number): ShownReading[] =>
  Array.from({ length: count }, (_, index) =>
    makeReading(`h${index}`, index === 0 ? "fail" : "ok"),
  );

describe("the screen of health", () => {
  test.each([6, 8, 24])("fills %i rows and no more, however much there is", (rows) => {
    expect(draw(many(50), rows).length).toBeLessThanOrEqual(rows);
  });

  test("says how much of what does not fit is not well", () => {
    const lines = draw(many(50), 8);
    expect(lines[0]).toBe("1 fail, 49 ok, at 12:00:00");
    expect(lines[2]).toMatch(/^fail +3 h +host +h0 /);
    expect(lines.at(-3)).toBe("and 47 more well");
    const bad = Array.from({ length: 9 }, (_, index) => makeReading(`h${index}`, "warn"));
    expect(draw(bad, 8).at(-3)).toBe("and 6 more: 6 warn");
  });

  test("shows only what is not well with --quiet, and says where nothing is asked", () => {
    expect(draw(many(5), 24, { flags: { quiet: true } }).join("\n")).not.toContain("h1");
    expect(draw([], 24)[0]).toBe("nothing to be asked, at 12:00:00");
  });

  test("draws the last hour beside a reading, with the last value that there is", () => {
    const points = [
      [0, 1],
      [1, 2.5],
      [2, null],
    ] as const;
    const lines = new Map([["host h0", [{ label: "load", points }]]]);
    const [, head, first] = draw(many(2), 24, { lines });
    expect(head).toMatch(/LAST HOUR *$/);
    expect(first).toMatch(/load ▄█ +2\.5 *$/);
  });
});
