import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Config } from "../../src/config/schema.ts";
import type { CheckReport, Discrepancy } from "../../src/consistency/report.ts";
import { openOutsidePlaces } from "../support/outside-places.ts";
import { FAULTS, FAULTS_CONFIG, PLANTED_FAULTS } from "../support/planted-faults.ts";
import { type ReplicaPair, startPair } from "../support/replica-pair.ts";
import { useLab } from "../support/lab.ts";

/**
 * On a primary and a replica of this file's own, and beside them in the lab that all tests share: the report of one run must have everything that was
 * planted, and nothing else.
 */
type Found = Discrepancy & { check: string };
const lab = await useLab("s3", "elasticsearch", "dynamodb");
let pair: ReplicaPair | undefined;
let places: Awaited<ReturnType<typeof openOutsidePlaces>> = {};
let findings: Found[] = [];
let clean: { code: number | null; reports: CheckReport[] } | undefined;

const using = `CREATE DATABASE IF NOT EXISTS ${FAULTS}; USE ${FAULTS};`;
const planted = PLANTED_FAULTS.filter(({ isLast }) => !isLast);
const last = PLANTED_FAULTS.filter(({ isLast }) => isLast);

async function check(on: ReplicaPair): Promise<{ code: number | null; reports: CheckReport[] }> {
  // The pair is this file's, what stands beside it the lab's.
  const environment = { ...lab.environment, LCOPS_CONFIG: on.lab.configPath };
  const { code, stdout } = await on.lcops(["db", "check", "--json"], { environment });
  const { subjects } = JSON.parse(stdout) as { subjects: { reports: CheckReport[] }[] };
  return { code, reports: subjects.flatMap(({ reports }) => reports) };
}
const listFindings = (reports: readonly CheckReport[]): Found[] =>
  reports.flatMap((report) =>
    report.findings.map((finding) => ({ ...finding, check: report.check })),
  );

beforeAll(async () => {
  pair = await startPair();
  if (!pair) return;
  places = await openOutsidePlaces(lab, FAULTS);
  configure(pair);
  await pair.primary(
    `${using} GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, EXECUTE ON ${FAULTS}.* TO app@'%'; GRANT SELECT ON mysql.proc TO app@'%';`,
  );
  for (const { both, beside } of PLANTED_FAULTS) {
    if (both !== undefined) await pair.primary(using + both);
    const place = beside && places[beside.place];
    for (const one of beside?.before ?? []) await place?.put(...one);
  }
  // For those who log in from now on.
  const limitPackets = async (bytes: number): Promise<void> => {
    for (const side of ["primary", "replica"] as const)
      await pair?.[side](`SET GLOBAL max_allowed_packet = ${bytes}`);
  };
  await pair.settle();
  await limitPackets(2 ** 20);
  clean = await check(pair);
  await limitPackets(2 ** 26);
  await plant(pair, planted);
  await pair.settle();
  await limitPackets(2 ** 20);
  findings = listFindings((await check(pair)).reports);
  await plant(pair, last);
  findings.push(...listFindings((await check(pair)).reports).filter(isOfLast));
}, 180_000);
afterAll(async () => {
  for (const place of Object.values(places)) await place.close();
  await pair?.stop();
});

/** What the lab has not got is not configured. */
function configure(own: ReplicaPair): void {
  const shared = JSON.parse(readFileSync(lab.configPath, "utf8")) as Config;
  const { elasticsearch } = lab.services;
  own.configure((config) => {
    config.environments = shared.environments;
    if (elasticsearch?.node)
      Object.assign(config.services ?? {}, {
        elasticsearch: { kind: "elasticsearch", environment: "dev", ...endpointOf(elasticsearch) },
      });
  });
  const { objects, search, items, ...rest } = FAULTS_CONFIG;
  const { s3 } = lab;
  own.check({
    ...rest,
    ...(s3 && {
      objects: objects.map((one) => ({ ...one, bucket: s3.bucket, region: s3.region })),
    }),
    ...(places.search && { search }),
    ...(places.items && { items }),
  });
}
const endpointOf = ({ address, port }: { address: string; port: number }) => ({ address, port });

async function plant(on: ReplicaPair, faults: typeof PLANTED_FAULTS): Promise<void> {
  for (const { primary, replica, beside } of faults) {
    if (primary !== undefined) await on.primary(`${using} ${primary};`);
    if (replica !== undefined) await on.replica(`USE ${FAULTS}; ${replica};`);
    const place = beside && places[beside.place];
    for (const one of beside?.put ?? []) await place?.put(...one);
    for (const id of beside?.removed ?? []) await place?.remove(id);
  }
}

const matches =
  (wanted: (typeof PLANTED_FAULTS)[number]["found"][number]) =>
  (finding: Found): boolean =>
    Object.entries(wanted).every(
      ([name, value]) => finding[name as keyof typeof finding] === value,
    );
const isOfLast = (finding: Found): boolean =>
  last.some(({ found }) => found.some((wanted) => matches(wanted)(finding)));

describe("of what is planted", () => {
  test("nothing is found before", ({ skip }) => {
    if (!pair) skip("there is no MariaDB");
    expect(listFindings(clean?.reports ?? [])).toEqual([]);
    expect(clean?.reports.flatMap(({ skipped }) => skipped)).toEqual([]);
    expect(clean?.code).toBe(0);
  });

  test.for(PLANTED_FAULTS)("$name: is found", ({ found, beside }, { skip }) => {
    if (!pair) skip("there is no MariaDB");
    if (beside && !places[beside.place]) skip(`the lab has no place for ${beside.place}`);
    for (const wanted of found)
      expect(findings.filter(matches(wanted)), JSON.stringify(wanted)).toHaveLength(1);
  });

  test("nothing else is found", () => {
    const wanted = PLANTED_FAULTS.flatMap(({ found }) => found.map(matches));
    expect(findings.filter((finding) => !wanted.some((match) => match(finding)))).toEqual([]);
  });
});
