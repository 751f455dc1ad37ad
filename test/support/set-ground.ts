import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { FORMAT, formatManifest, type Manifest } from "../../src/backup/manifest.ts";
import type { DrillReport, VerifyReport } from "../../src/backup/reports.ts";
import type { Context } from "../../src/commands/command.ts";
import type { BackupJobConfig } from "../../src/config/backup-schema.ts";
import type { Config } from "../../src/config/schema.ts";
import type { Setting } from "../terminal/fake-streams.ts";
import { runInProcess, type InProcessResult } from "./run-in-process.ts";

const DAY_MS = 86_400_000;
type Destination = "server" | "operator";

export interface SetGround {
  config: Config;
  /** Members of a context with this configuration; changes are written into `journal`. */
  members: Partial<Context>;
  journal: { change: string; state?: string }[];
  at(...names: string[]): string;
  /** Adds a complete set of 600 rows that was begun so many days ago, and returns its name. */
  addSet(
    days: number,
    options?: { job?: string; destinations?: readonly Destination[]; more?: Partial<Manifest> },
  ): string;
  configureJob(change: Partial<BackupJobConfig>): void;
  lcops(words: readonly string[], setting?: Setting): Promise<InProcessResult>;
  /** Paths of all files at a destination, relative to it. */
  files(destination: Destination): string[];
  remove(): void;
}

/** Returns a job with sets in two folders. No service is there, and nothing is read from one. */
export function makeSetGround(): SetGround {
  const folder = mkdtempSync(path.join(tmpdir(), "lcops-sets-"));
  const at = (...names: string[]): string => path.join(folder, ...names);
  const config: Config = {
    environments: { dev: { production: false } },
    services: {
      graphite: { kind: "graphite", environment: "dev", address: "127.0.0.1", port: 9 },
    },
    backups: {
      destinations: { server: { folder: at("server") }, operator: { folder: at("operator") } },
      recipients: [],
      jobs: { graphite: { service: "graphite" } },
    },
  };
  const journal: SetGround["journal"] = [];
  const members: Partial<Context> = {
    config: () => Promise.resolve(config),
    configPath: at("lcops.config.json"),
    folders: { config: folder, state: at("state"), cache: folder, runtime: at("run") },
    journal: ({ change }) => {
      const entry: SetGround["journal"][number] = { change };
      journal.push(entry);
      const end = ({ state }: { state: string }) => Promise.resolve(void (entry.state = state));
      return Promise.resolve({ id: "1", end });
    },
  };
  let made = 0;
  return {
    config,
    members,
    journal,
    at,
    addSet: (days, { job = "graphite", destinations = ["server", "operator"], more = {} } = {}) => {
      const startedAt = new Date(Date.now() - days * DAY_MS).toISOString();
      const stamp = startedAt.replaceAll(/[-:]|\.\d+/g, "");
      const setId = `${stamp}-${(++made).toString(16).padStart(6, "0")}`;
      const manifest = makeManifest({ setId, job, startedAt, finishedAt: startedAt, ...more });
      for (const destination of destinations) {
        for (const kind of ["manifests", "data"])
          mkdirSync(at(destination, kind, job, kind === "data" ? setId : ""), { recursive: true });
        writeFileSync(at(destination, "data", job, setId, "pack.tar"), "data");
        const file = at(destination, "manifests", job, `${setId}.json`);
        writeFileSync(file, formatManifest(manifest));
      }
      return setId;
    },
    configureJob: (change) => {
      Object.assign(config.backups?.jobs["graphite"] ?? {}, change);
    },
    lcops: (words, setting) => runInProcess(words, members, setting),
    files: (destination) =>
      readdirSync(at(destination), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(at(destination), path.join(entry.parentPath, entry.name)))
        .toSorted(),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Returns the manifest of a complete set, changed as the test wants it. */
export function makeManifest(more: Partial<Manifest> = {}): Manifest {
  const at = "2026-01-31T02:15:00.000Z";
  return {
    format: FORMAT,
    setId: "20260131T021500Z-7f3a9c",
    job: "graphite",
    kind: "graphite",
    service: "graphite",
    source: { engine: "whisper", version: "1" },
    consistency: { level: "per-object", at, proof: {} },
    objects: ["stats"],
    skipped: [],
    parts: [],
    facts: [],
    result: "complete",
    startedAt: at,
    finishedAt: at,
    tool: { lcops: "0", node: "20", programs: {} },
    recipients: [],
    restoreText: { bytes: 0, sha256: "" },
    warnings: [],
    totals: { parts: 2, plainBytes: 9_000, storedBytes: 4_200, rows: 600 },
    ...more,
  };
}

/** A verification of so many days ago. */
export const verified = (days: number, ok = true): VerifyReport => ({
  kind: "verify",
  at: new Date(Date.now() - days * DAY_MS).toISOString(),
  level: "hashes",
  ok,
  findings: ok ? [] : ["a part is damaged"],
  tookMs: 1,
});

/** A drill of so many days ago. */
export const drilled = (
  days: number,
  verdict: DrillReport["verdict"] = "proven",
  more: Partial<DrillReport> = {},
): DrillReport => ({
  kind: "drill",
  at: new Date(Date.now() - days * DAY_MS).toISOString(),
  verdict,
  facts: 2,
  rows: 600,
  differences: [],
  tookMs: 1,
  ...more,
});
