import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CheckReport, Discrepancy } from "../../src/consistency/report.ts";
import { PLANTED_FAULTS } from "../support/planted-faults.ts";
import { type ReplicaPair, startPair } from "../support/replica-pair.ts";

/** On a primary and a replica of this file's own: the report of one run must have everything that was planted, and nothing else. */
let pair: ReplicaPair | undefined;
let findings: (Discrepancy & { check: string })[] = [];
let clean: { code: number | null; stdout: string } | undefined;

const using = "CREATE DATABASE IF NOT EXISTS faults; USE faults;";
const reportsOf = (stdout: string): CheckReport[] =>
  (JSON.parse(stdout) as { subjects: { reports: CheckReport[] }[] }).subjects.flatMap(
    ({ reports }) => reports,
  );

beforeAll(async () => {
  pair = await startPair();
  if (!pair) return;
  pair.check({ databases: ["faults"] });
  await pair.primary(
    `${using} GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, EXECUTE ON faults.* TO app@'%'; GRANT SELECT ON mysql.proc TO app@'%';`,
  );
  for (const { both } of PLANTED_FAULTS) if (both !== undefined) await pair.primary(using + both);
  // For those who log in from now on.
  const limitPackets = async (bytes: number): Promise<void> => {
    for (const side of ["primary", "replica"] as const)
      await pair?.[side](`SET GLOBAL max_allowed_packet = ${bytes}`);
  };
  await pair.settle();
  await limitPackets(2 ** 20);
  clean = await pair.lcops(["db", "check", "--json"]);
  await limitPackets(2 ** 26);
  for (const { primary, replica } of PLANTED_FAULTS) {
    if (primary !== undefined) await pair.primary(`${using} ${primary};`);
    if (replica !== undefined) await pair.replica(`USE faults; ${replica};`);
  }
  await pair.settle();
  await limitPackets(2 ** 20);
  const { stdout } = await pair.lcops(["db", "check", "--json"]);
  findings = reportsOf(stdout).flatMap((report) =>
    report.findings.map((finding) => ({ ...finding, check: report.check })),
  );
}, 120_000);
afterAll(() => pair?.stop());

const matches =
  (wanted: (typeof PLANTED_FAULTS)[number]["found"][number]) =>
  (finding: (typeof findings)[number]): boolean =>
    Object.entries(wanted).every(
      ([name, value]) => finding[name as keyof typeof finding] === value,
    );

describe("of what is planted on a replica", () => {
  test("nothing is found before it is planted", ({ skip }) => {
    if (!pair) skip("there is no MariaDB");
    expect(reportsOf(clean?.stdout ?? "").flatMap((report) => report.findings)).toEqual([]);
    expect(clean?.code).toBe(0);
  });

  test.each(PLANTED_FAULTS)("$name: is found", ({ found }) => {
    if (!pair) return;
    for (const wanted of found)
      expect(findings.filter(matches(wanted)), JSON.stringify(wanted)).toHaveLength(1);
  });

  test("nothing else is found", () => {
    const wanted = PLANTED_FAULTS.flatMap(({ found }) => found.map(matches));
    expect(findings.filter((finding) => !wanted.some((match) => match(finding)))).toEqual([]);
  });
});
