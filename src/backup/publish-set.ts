import { createHash } from "node:crypto";
import type { BackupJobConfig } from "../config/backup-schema.ts";
import type {
  BackupDriver,
  BackupWarning,
  DumpOutcome,
  DumpPlan,
} from "../services/backup-driver.ts";
import type { PartRecord } from "../services/set-content.ts";
import { describeError, OperatorError } from "../system/errors.ts";
import { onePiece } from "../system/one-piece.ts";
import { findPruned } from "./find-earlier.ts";
import { findShrinkage } from "./find-shrinkage.ts";
import { findLastSet } from "./list-sets.ts";
import { createAtAll, type Target, writeToAll } from "./make-sink.ts";
import { FORMAT, formatManifest, type Manifest } from "./manifest.ts";
import { formatRestoreText } from "./restore-text.ts";
import { dataPrefix, manifestKey, RESTORE_NAME, type Store } from "./store.ts";
import type { ServicePlace } from "../reach/service-place.ts";

/** A job, as its manifest tells of it. */
export interface PublishOptions {
  name: string;
  job: BackupJobConfig;
  environmentName: string | undefined;
  driver: BackupDriver;
  place: ServicePlace;
  stores: readonly Store[];
  recipients: readonly string[];
  /** lcops' own version. */
  version: string;
  /** Versions of the programs of the encoder. */
  programs: Readonly<Record<string, string>>;
  trace: (line: string) => void;
}

/**
 * Given a job and what its driver has made, write what says so to every destination: how to restore it, then the manifest. Throws where the driver has
 * left something out, or nothing could be published.
 */
export async function publishSet(
  options: PublishOptions,
  run: { setId: string; startedAt: Date; targets: readonly Target[] },
  made: { plan: DumpPlan; outcome: DumpOutcome; parts: readonly PartRecord[] },
): Promise<Manifest> {
  const { name, driver } = options;
  const { setId, targets } = run;
  refuseMissing(made.plan, made.outcome, made.parts);
  const described = describeSet(options, run, made);
  const shrunk = await compareWithLast(options, described);
  const unfinished = { ...described, warnings: [...described.warnings, ...shrunk] };
  const text = Buffer.from(formatRestoreText(unfinished, driver));
  const manifest: Manifest = {
    ...unfinished,
    restoreText: {
      bytes: text.length,
      sha256: createHash("sha256").update(text).digest("hex"),
    },
  };
  await writeToAll(targets, `${dataPrefix(name, setId)}${RESTORE_NAME}`, onePiece(text));
  await refusePruned(targets, name, made.parts);
  // The commit: before it nothing of the set counts.
  await createAtAll(targets, manifestKey(name, setId), Buffer.from(formatManifest(manifest)));
  return manifest;
}

/** Another machine may have pruned meanwhile what this set refers to. */
async function refusePruned(
  targets: readonly Target[],
  job: string,
  parts: readonly PartRecord[],
): Promise<void> {
  const referred = new Set(parts.flatMap((part) => part.in ?? []));
  for (const { store } of targets.filter(({ failure }) => failure === undefined)) {
    const gone = await findPruned(store, job, referred);
    if (gone !== undefined)
      throw new OperatorError("failed", `${gone}, of which it has parts, was removed meanwhile`, {
        next: "nothing was published; run it again",
      });
  }
}

/** A driver that resolves has written every object of its plan, or has said why not: this does not take its word for it. */
function refuseMissing(plan: DumpPlan, outcome: DumpOutcome, parts: readonly PartRecord[]): void {
  if (outcome.external) return;
  const there = new Set([
    ...parts.map(({ object }) => object),
    ...(outcome.skipped ?? []).map(({ object }) => object),
    ...(outcome.removed ?? []),
  ]);
  const missing = plan.objects.filter(({ name }) => !there.has(name)).map(({ name }) => name);
  if (missing.length === 0) return;
  throw new OperatorError("failed", `the dump has left out ${missing.slice(0, 5).join(", ")}`, {
    next: "nothing was published; run it again, with -v",
  });
}

/** What has shrunk since the last set of whichever destination tells; one that does not answer is no reason to make no set. */
async function compareWithLast(
  { name, stores, trace }: PublishOptions,
  current: Omit<Manifest, "restoreText">,
): Promise<BackupWarning[]> {
  for (const store of stores) {
    try {
      const last = await findLastSet(store, name);
      if (last) return findShrinkage(last.manifest, current);
    } catch (error) {
      trace(`${name}: the last set at ${store.name} cannot be read: ${describeError(error)}`);
    }
  }
  return [];
}

function describeSet(
  options: PublishOptions,
  { setId, startedAt }: { setId: string; startedAt: Date },
  { plan, outcome, parts }: { plan: DumpPlan; outcome: DumpOutcome; parts: readonly PartRecord[] },
): Omit<Manifest, "restoreText"> {
  const { name, job, place, environmentName } = options;
  const sorted = parts.toSorted((one, other) => (one.path < other.path ? -1 : 1));
  const counted = outcome.facts.filter(({ rows }) => rows !== undefined);
  const own = sorted.filter((part) => part.in === undefined);
  const referred = sorted.filter((part) => part.in !== undefined);
  const sum = (of: readonly PartRecord[], pick: (part: PartRecord) => number): number =>
    of.reduce((total, part) => total + pick(part), 0);
  const skipped = outcome.skipped ?? [];
  const removed = new Set(outcome.removed);
  return {
    format: FORMAT,
    setId,
    job: name,
    kind: place.config.kind,
    service: job.service,
    ...(environmentName !== undefined && { environment: environmentName }),
    result: skipped.length > 0 ? "incomplete" : "complete",
    startedAt: startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    tool: {
      lcops: options.version,
      node: process.versions.node,
      programs: { ...options.programs, ...plan.programs },
    },
    source: outcome.source,
    consistency: outcome.consistency,
    objects: plan.objects.map((object) => object.name).filter((object) => !removed.has(object)),
    skipped,
    recipients: options.recipients,
    parts: sorted,
    facts: outcome.facts,
    warnings: [...(plan.warnings ?? []), ...(outcome.warnings ?? [])],
    totals: {
      parts: own.length,
      plainBytes: sum(own, ({ plain }) => plain.bytes),
      storedBytes: sum(own, ({ stored }) => stored.bytes),
      ...(counted.length > 0 && {
        rows: counted.reduce((total, { rows = 0 }) => total + rows, 0),
      }),
      ...(referred.length > 0 && {
        referred: {
          parts: referred.length,
          storedBytes: sum(referred, ({ stored }) => stored.bytes),
        },
      }),
    },
    ...(outcome.external && { external: outcome.external }),
  };
}
