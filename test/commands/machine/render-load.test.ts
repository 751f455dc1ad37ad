import { describe, expect, test } from "vitest";
import { renderLoad } from "../../../src/commands/machine/render-load.ts";
import { LoadCount } from "../../../src/workstation/summarise-load.ts";
import { makeFakeTerminal, type Setting } from "../../terminal/fake-streams.ts";

function summarise(samples: number, failed: number) {
  const count = new LoadCount();
  for (let at = 0; at < samples; at++) {
    const label = at % 2 === 0 ? "GET /" : "GET /\u001b[2J";
    count.add({ at: at * 100, elapsedMs: 10 + at, label, hasFailed: at < failed, why: "503 No" });
  }
  return count.summarise();
}

function render(
  {
    samples = 20,
    failed = 0,
    broken = [] as string[],
    report = "/run/report/index.html" as string | null,
  } = {},
  setting: Setting = {},
) {
  const { terminal, out, err } = makeFakeTerminal(setting);
  const run = {
    version: "5.5",
    folder: "/run",
    results: "/run/results.csv",
    log: "/run/jmeter.log",
    report: report ?? undefined,
    summary: summarise(samples, failed),
    broken,
    left: [],
  };
  const wrong = failed > 0 ? [`${failed} have failed`] : [];
  renderLoad({ name: "ja", run, broken, wrong }, terminal);
  return { out: out(), err: err() };
}

const CRON: Setting = { stdout: false, stderr: false };

describe("a load test in a pipe", () => {
  test("that has passed says nothing unless asked", () => {
    expect(render({}, CRON)).toEqual({ out: "", err: "" });
    expect(render({}, { ...CRON, flags: { verbose: true } }).out).toMatch(
      /^ja: passed, 20 samples/,
    );
  });

  test("that has failed is a table, and why", () => {
    const { out } = render({ failed: 2 }, CRON);
    const [head, first, second, total, why] = out.split("\n");
    expect(head).toBe("ja: failed, 20 samples in 1.9 s (10.4/s), 2 failed");
    expect(first?.split("\t").slice(0, 3)).toEqual(["GET /", "10", "1"]);
    expect(second?.split("\t")[0]).toBe("GET /\\x1b[2J");
    expect(total?.split("\t").slice(0, 3)).toEqual(["all", "20", "2"]);
    expect(why).toBe("2 × 503 No");
  });

  test("that is broken without a sample has no table", () => {
    expect(render({ samples: 0, broken: ["nothing"], report: null }, CRON).out).toBe("");
  });

  test("is one document with --json", () => {
    const { out } = render({ failed: 2 }, { ...CRON, flags: { json: true } });
    expect(JSON.parse(out)).toMatchObject({
      name: "ja",
      verdict: "failed",
      why: ["2 have failed"],
      jmeter: "5.5",
      samples: 20,
      failed: 2,
      report: "/run/report/index.html",
      results: "/run/results.csv",
    });
    const broken = render(
      { broken: ["cut off"], report: null },
      { ...CRON, flags: { json: true } },
    );
    expect(JSON.parse(broken.out)).toMatchObject({
      verdict: "broken",
      report: null,
      why: ["cut off"],
    });
  });
});

describe("a load test on a screen", () => {
  test("has a plot over time that fits, and says where all of it is", () => {
    const { out, err } = render({}, { columns: 60, flags: { color: false } });
    expect(out).toMatch(/^per second [▁-█]+ ≤ 10\.0, each 1 s$/m);
    expect(out).toMatch(/^mean ms {4}[▁-█]+ ≤ \d+$/m);
    for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(60);
    expect(err).toBe("report: /run/report/index.html\nresults: /run/results.csv\n");
  });

  test("says that a whole test has no report", () => {
    expect(render({ report: null }).err).toContain("JMeter 5.5 has made no report of its own");
    expect(render({ report: null, broken: ["late"] }).err).toBe("results: /run/results.csv\n");
  });
});
