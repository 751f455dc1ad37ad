/** Sets of other days than this one: what time would do to a ground. */
import { cpSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { formatManifest, parseManifest } from "../../src/backup/manifest.ts";
import type { Report } from "../../src/backup/reports.ts";
import type { BackupGround } from "./backup-ground.ts";

type Destination = "server" | "operator";

const DAY_MS = 86_400_000;

/** Given a set that is there, copies it to another one that was made so many days ago (before now; negative: to come); returns its name. */
export function copySet(
  ground: BackupGround,
  setId: string,
  days: number,
  destinations: readonly Destination[] = ["server", "operator"],
): string {
  const at = new Date(Date.now() - days * DAY_MS);
  const stamp = at.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const copy = `${stamp}-${setId.slice(-6)}`;
  for (const destination of destinations) {
    const manifests = ground.at(destination, "manifests", "graphite");
    const text = readFileSync(path.join(manifests, `${setId}.json`), "utf8");
    const manifest = {
      ...parseManifest(text, "graphite", setId),
      setId: copy,
      startedAt: at.toISOString(),
      finishedAt: at.toISOString(),
    };
    const data = ground.at(destination, "data", "graphite", copy);
    cpSync(ground.at(destination, "data", "graphite", setId), data, { recursive: true });
    writeFileSync(path.join(manifests, `${copy}.json`), formatManifest(manifest));
    const files = readdirSync(data, { recursive: true, encoding: "utf8" }).map((file) =>
      path.join(data, file),
    );
    for (const file of files) utimesSync(file, at, at);
  }
  return copy;
}

/** Adds a report to a set at both destinations. */
export function addReport(ground: Pick<BackupGround, "at">, setId: string, report: Report): void {
  const stamp = report.at.replaceAll(/[-:]|\.\d+/g, "");
  for (const destination of ["server", "operator"] as const) {
    const folder = ground.at(destination, "reports", "graphite", setId);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, `${stamp}-${report.kind}.json`), JSON.stringify(report));
  }
}
