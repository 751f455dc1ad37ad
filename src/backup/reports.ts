import type { Fact } from "../services/set-content.ts";
import { readText, reportPrefix, type Store, writeText } from "./store.ts";

export const LEVELS = ["sizes", "hashes", "decode"] as const;
/** How closely a set is looked at: what is there and how large; what every stored byte is; what is in it. */
export type Level = (typeof LEVELS)[number];

/** What was found out about a set at a destination, and when. Reports are added, and never change a manifest. */
export type Report = VerifyReport | DrillReport;

export interface VerifyReport {
  kind: "verify";
  /** ISO 8601, UTC. */
  at: string;
  level: Level;
  ok: boolean;
  /** What is wrong; empty where nothing is. */
  findings: readonly string[];
  /** Of a set that stands for objects elsewhere: how many were read, and of how many no hash is known. */
  readBack?: { objects: number; unhashed: number };
  tookMs: number;
}

export interface DrillReport {
  kind: "drill";
  at: string;
  /** `proven`: restored, and all that was measured then is so again. */
  verdict: "proven" | "failed" | "not drilled";
  /** Why it failed or was not drilled. */
  reason?: string;
  /** Where it was restored to. */
  scratch?: string;
  /** How many facts were compared, and the rows that they count. */
  facts: number;
  rows: number;
  differences: readonly { expected: Fact; found?: Fact }[];
  /** What of the scratch place could not be removed. */
  left?: string;
  /** The time that a recovery takes, measured: from the first byte read to the last fact compared. */
  tookMs: number;
}

/** Given what was found out about a set, keep it beside the set. */
export function writeReport(
  store: Store,
  { job, setId }: { job: string; setId: string },
  report: Report,
): Promise<void> {
  const stamp = report.at.replace(/[-:]|\.\d+/g, "");
  const key = `${reportPrefix(job, setId)}${stamp}-${report.kind}.json`;
  return writeText(store, key, `${JSON.stringify(report)}\n`);
}

/** Given a store and a set, return what was found out about it there, oldest first; what is no report is passed over. */
export async function readReports(store: Store, job: string, setId: string): Promise<Report[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(reportPrefix(job, setId)))
    if (/-(?:verify|drill)\.json$/.test(key)) keys.push(key);
  const texts = await Promise.all(keys.toSorted().map((key) => readText(store, key)));
  return texts.flatMap((text) => {
    try {
      return [JSON.parse(text) as Report];
    } catch {
      return [];
    }
  });
}
