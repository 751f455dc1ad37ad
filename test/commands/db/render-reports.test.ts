import { describe, expect, test } from "vitest";
import { renderReports, type Subject } from "../../../src/commands/db/render-reports.ts";
import type { CheckReport, Discrepancy } from "../../../src/consistency/report.ts";
import { PIPED } from "../../support/fake-context.ts";
import { makeFakeTerminal, type Setting } from "../../terminal/fake-streams.ts";

const report = (more: Partial<CheckReport> = {}): CheckReport => ({
  check: "replica",
  about: "school and its replica",
  state: "checked",
  looked: { tables: 1, rows: 8_211 },
  skipped: [],
  excluded: [],
  findings: [],
  more: 0,
  ...more,
});
const finding = (more: Partial<Discrepancy> = {}): Discrepancy => ({
  id: "x",
  object: "school.students",
  key: "id=17",
  column: "email",
  kind: "changed",
  detail: "it differs",
  ...more,
});
const known = (isExpired: boolean) => ({
  known: { until: "2026-12-31", reason: "old rows", owner: "anna", isExpired },
});

function render(
  reports: CheckReport[],
  code: number,
  setting: Setting = PIPED,
  more: { gone?: string[]; leftOut?: string[] } = {},
): { out: string; err: string } {
  const subjects: Subject[] = [{ name: "school", reports, gone: more.gone ?? [] }];
  const { terminal, out, err } = makeFakeTerminal(setting);
  const { signal } = new AbortController();
  renderReports(subjects, code, { terminal, signal }, more.leftOut);
  return { out: out(), err: err() };
}

describe("reports", () => {
  test("print nothing in cron when all is well, and a table with -v", () => {
    expect(render([report()], 0)).toEqual({ out: "", err: "" });
    const { out } = render([report()], 0, { ...PIPED, flags: { verbose: true } });
    expect(out).toBe("school\treplica\tchecked\t1 table, 8211 rows\t0\n");
  });

  test("name each finding, and count them", () => {
    const { out, err } = render([report({ findings: [finding()] })], 4);
    expect(out).toBe(
      "school\treplica\tchecked\t1 table, 8211 rows\t1\nreplica: school.students [id=17] email: changed: it differs\n",
    );
    expect(err).toBe("lcops: school: 1 finding\n");
  });

  test("tell what is known from what is news, and what is borne no longer", () => {
    const findings = [finding(known(false)), finding(known(true)), finding()];
    const { out, err } = render([report({ findings })], 4);
    expect(out).toContain("\t2, and 1 known\n");
    expect(out).toContain("it differs (known until 2026-12-31: anna, old rows)\n");
    expect(out).toContain("(known until 2026-12-31, which is over: anna, old rows)\n");
    expect(err).toBe("lcops: school: 2 findings\n");
  });

  test("say what was not checked once, with the checks that miss it", () => {
    const skipped = [{ object: "school", why: "school: connect ECONNREFUSED" }];
    const { out, err } = render(
      [
        report({ check: "health", state: "skipped", skipped }),
        report({ check: "schema", state: "skipped", skipped }),
      ],
      1,
    );
    expect(out).toBe(
      "school\thealth\tskipped\tschool and its replica\t-\n" +
        "school\tschema\tskipped\tschool and its replica\t-\n" +
        "health, schema: not checked: school: connect ECONNREFUSED\n",
    );
    expect(err).toBe(
      "lcops: school: 2 not checked, nothing was checked: school: connect ECONNREFUSED\n",
    );
  });

  test("give no reason in the verdict where there are several", () => {
    const skipped = [
      { object: "a", why: "is left" },
      { object: "b", why: "is gone" },
    ];
    const { out, err } = render([report({ skipped })], 3);
    expect(out).toMatch(/^school\treplica\tchecked in part\t/);
    expect(err).toBe("lcops: school: 2 not checked\n");
  });

  test("count what is more than can be listed, on a screen beyond twenty", () => {
    const findings = Array.from({ length: 23 }, () => finding());
    expect(render([report({ findings, more: 7 })], 4).out).toMatch(/\nreplica: and 7 more\n$/);
    const screen = { columns: 100, flags: { color: false } };
    const { out } = render([report({ findings, more: 7 })], 4, screen);
    expect(out).toMatch(/\nreplica: and 10 more\n$/);
  });

  test("name what the configuration leaves out, and what it does not know", () => {
    const excluded = ["shop.logs"];
    const { out, err } = render(
      [report({ excluded, findings: [finding()] })],
      4,
      { ...PIPED, flags: { verbose: true } },
      { gone: ["replica x"], leftOut: ["archive"] },
    );
    expect(out).toContain("replica: left out, as it is configured: shop.logs\n");
    expect(out).toContain(
      "not configured: no entry of consistency has archive; lcops db check NAME looks at one all the same\n",
    );
    expect(err).toContain("no longer found, and still in the baseline: replica x\n");
  });

  test("are one document with --json", () => {
    const reports = [report()];
    const { out } = render(reports, 0, { ...PIPED, flags: { json: true } }, { leftOut: ["a"] });
    expect(JSON.parse(out)).toEqual({
      isStopped: false,
      subjects: [{ name: "school", reports, gone: [] }],
      notConfigured: ["a"],
    });
  });
});
