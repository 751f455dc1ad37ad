import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ShownReading } from "../../../src/commands/health/describe-readings.ts";
import {
  countStates,
  renderReadings,
  sortByState,
} from "../../../src/commands/health/render-readings.ts";
import type { HealthState } from "../../../src/system/reading.ts";
import { PIPED } from "../../support/fake-context.ts";
import { makeReading, NOW } from "../../support/fake-readings.ts";
import { makeFakeTerminal, type Setting } from "../../terminal/fake-streams.ts";

async function render(readings: ShownReading[], setting: Setting = PIPED) {
  const { terminal, out, err } = makeFakeTerminal(setting);
  await renderReadings(readings, { terminal }, NOW);
  return { out: out(), err: err() };
}
const MIXED = [
  makeReading("web", "ok"),
  makeReading("db", "unknown", { detail: "not reached" }),
  makeReading("cache", "fail", { next: "start it" }),
];

describe("readings", () => {
  test("are shown the worst first, and what is not well is said on stderr", async () => {
    expect(await render(MIXED)).toEqual({
      out: "fail\t3 h\thost\tcache\tfail\nunknown\t3 h\thost\tdb\tnot reached\nok\t3 h\thost\tweb\tok\n",
      err: "lcops: 1 fail, 1 unknown: host cache, host db\n",
    });
    const { err } = await render(MIXED, { ...PIPED, flags: { verbose: true } });
    expect(err).toContain("host cache: start it\n");
  });

  test("are only those that are not well with --quiet, and nothing where all are", async () => {
    const quiet = { ...PIPED, flags: { quiet: true } };
    expect((await render(MIXED, quiet)).out.split("\n")).toHaveLength(3);
    expect(await render([makeReading("web", "ok")], quiet)).toEqual({ out: "", err: "" });
  });

  test("name five that are not well, and say that there are more", async () => {
    const many = Array.from({ length: 7 }, (_, index) => makeReading(`h${index}`, "warn"));
    expect((await render(many)).err).toBe(
      "lcops: 7 warn: host h0, host h1, host h2, host h3, host h4, …\n",
    );
  });

  test("are said to be none where nothing can be asked", async () => {
    expect((await render([])).err).toBe(
      "lcops: there is nothing to be asked how it is; see lcops config check\n",
    );
  });

  test("have the day on which a disk is full, and its bytes in JSON", async () => {
    const disk = makeReading("web:/", "warn", {
      area: "disk",
      fullOn: "2026-02-03",
      disk: { usedBytes: 1, totalBytes: 2 },
    });
    expect((await render([disk])).out).toContain("\twarn, full on 2026-02-03\n");
    const { out } = await render([disk], { ...PIPED, flags: { json: true } });
    expect(JSON.parse(out)).toMatchObject({
      at: NOW.toISOString(),
      readings: [{ name: "web:/", usedBytes: 1, totalBytes: 2, fullOn: "2026-02-03" }],
    });
  });

  test("have a head on a screen", async () => {
    const { out } = await render(MIXED, { columns: 80, flags: { color: false } });
    expect(out).toMatch(/^STATE +AGE +AREA +NAME +WHAT *\nfail +3 h +host +cache +fail\n/);
  });
});

const ORDER: HealthState[] = ["fail", "warn", "unknown", "unmonitored", "ok"];

test("sorting by state loses nothing, and keeps the order within a state", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...ORDER)), (states) => {
      const readings = states.map((state, index) => makeReading(`h${index}`, state));
      const sorted = sortByState(readings);
      expect(sorted.toSorted((a, b) => readings.indexOf(a) - readings.indexOf(b))).toEqual(
        readings,
      );
      for (const [index, one] of sorted.entries()) {
        const next = sorted[index + 1];
        if (!next) continue;
        const step = ORDER.indexOf(next.state) - ORDER.indexOf(one.state);
        expect(step).toBeGreaterThanOrEqual(0);
        if (step === 0) expect(readings.indexOf(next)).toBeGreaterThan(readings.indexOf(one));
      }
    }),
  );
});

test("states are counted, the worst first", () => {
  expect(countStates([...MIXED, makeReading("x", "fail")])).toBe("2 fail, 1 unknown, 1 ok");
  expect(countStates([])).toBe("");
});
