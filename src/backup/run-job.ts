import { createHash } from "node:crypto";
import type pLimit from "p-limit";
import type { BackupJobConfig, DestinationName } from "../config/backup-schema.ts";
import type {
  BackupDriver,
  BackupWarning,
  DumpOutcome,
  DumpPlan,
  PartRecord,
  ServicePlace,
} from "../services/backup-driver.ts";
import { describeError, describeInOneLine, OperatorError } from "../system/errors.ts";
import { onePiece } from "../system/one-piece.ts";
import type { Encoder } from "./codec.ts";
import { findEarlier, findPruned } from "./find-earlier.ts";
import { findShrinkage } from "./find-shrinkage.ts";
import { findLastSet } from "./list-sets.ts";
import { makeSink, type Target, writeToAll } from "./make-sink.ts";
import { FORMAT, formatManifest, type Manifest } from "./manifest.ts";
import { makeRunFolder } from "./run-folder.ts";
import { formatRestoreText } from "./restore-text.ts";
import { removeSet } from "./remove-set.ts";
import { makeSetId } from "./set-id.ts";
import { dataPrefix, manifestKey, RESTORE_NAME, type Store } from "./store.ts";
import { forgetRun, noteRun } from "./unfinished-runs.ts";

/** What may still be taken to remove what no set stands for. */
const CLEAN_UP_LIMIT_MS = 30_000;

export interface RunJobOptions {
  name: string;
  job: BackupJobConfig;
  environmentName: string | undefined;
  driver: BackupDriver;
  place: ServicePlace;
  stores: readonly Store[];
  encoder: Encoder;
  recipients: readonly string[];
  limit: ReturnType<typeof pLimit>;
  parallel: number;
  /** lcops' own version. */
  version: string;
  /** Versions of the programs of the encoder. */
  programs: Readonly<Record<string, string>>;
  stateFolder: string;
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
  update: (line: string) => void;
  trace: (line: string) => void;
  passed: (bytes: number) => void;
}

/** What became of a job. */
export interface JobResult {
  job: string;
  /** `failed`: nothing was published anywhere. */
  state: "complete" | "incomplete" | "failed";
  setId?: string;
  /** Why it failed, or what is missing of it. */
  reason?: string;
  /** What to do about it. */
  next?: string;
  destinations: {
    name: DestinationName;
    place: string;
    state: "stored" | "failed";
    reason?: string;
  }[];
  plainBytes: number;
  storedBytes: number;
  parts: number;
  rows?: number;
  /** What stands in earlier sets and has not changed. */
  referred?: { parts: number; storedBytes: number };
  /** Of a snapshot that lives elsewhere. */
  external?: { added: number; total: number };
  tookMs: number;
  warnings: readonly BackupWarning[];
}

/**
 * Run one job: read its service into parts at every destination, and publish the set by its manifest, last, wherever all of it has arrived.
 * Never throws but for the signal: what fails is in the result, and nothing of it counts anywhere.
 */
export async function runJob(options: RunJobOptions): Promise<JobResult> {
  const { name, stores, signal } = options;
  const startedAt = new Date();
  const setId = makeSetId(startedAt);
  const targets: Target[] = stores.map((store) => ({ store }));
  const base = (): Omit<JobResult, "state"> => ({
    job: name,
    destinations: targets.map(describeTarget),
    plainBytes: 0,
    storedBytes: 0,
    parts: 0,
    tookMs: Date.now() - startedAt.getTime(),
    warnings: [],
  });
  try {
    await noteRun(options.stateFolder, name, setId);
    const manifest = await makeSet(options, { setId, startedAt, targets });
    const { totals, warnings, result, skipped } = manifest;
    const failed = targets.filter(({ failure }) => failure !== undefined);
    if (await discard(failed, name, setId)) await forgetRun(options.stateFolder, name, setId);
    const missing = [
      ...skipped.map(({ object, reason }) => `${object}: ${reason}`),
      ...failed.map(({ store, failure }) => `not at ${store.name}: ${describeError(failure)}`),
    ];
    return {
      ...base(),
      setId,
      state: result === "incomplete" || failed.length > 0 ? "incomplete" : "complete",
      ...(missing.length > 0 && { reason: missing.join("; ") }),
      plainBytes: totals.plainBytes,
      storedBytes: totals.storedBytes,
      parts: totals.parts,
      ...(totals.rows !== undefined && { rows: totals.rows }),
      ...(totals.referred && { referred: totals.referred }),
      ...(manifest.external?.bytes && { external: manifest.external.bytes }),
      warnings,
    };
  } catch (error) {
    if (await discard(targets, name, setId)) await forgetRun(options.stateFolder, name, setId);
    signal.throwIfAborted();
    for (const target of targets) target.failure ??= error;
    return {
      ...base(),
      state: "failed",
      reason: describeInOneLine(error),
      ...(error instanceof OperatorError && error.next !== undefined && { next: error.next }),
    };
  }
}

async function makeSet(
  options: RunJobOptions,
  run: { setId: string; startedAt: Date; targets: readonly Target[] },
): Promise<Manifest> {
  const { name, job, driver, place, signal } = options;
  const { setId, targets } = run;
  const folder = await makeRunFolder(options.stateFolder);
  try {
    const stop = new AbortController();
    const driverOptions = {
      ...options,
      job,
      setId,
      folder: folder.path,
      signal: AbortSignal.any([signal, stop.signal]),
    };
    options.update(`${name}: looking at what there is`);
    const plan = await driver.plan(place, driverOptions);
    const sink = makeSink({ ...driverOptions, targets, prefix: dataPrefix(name, setId) });
    const earlier = (): Promise<Manifest | undefined> =>
      findEarlier(options.stores, name, options.recipients).catch((error: unknown) => {
        signal.throwIfAborted();
        options.trace(`${name}: nothing of an earlier set is used: ${describeError(error)}`);
        return undefined;
      });
    const outcome = await driver
      .dump(place, plan, sink, { ...driverOptions, setId, earlier })
      .catch(async (error: unknown) => {
        // What else is on its way must have ended before it can be taken back.
        stop.abort(error);
        await sink.idle();
        throw error;
      });
    try {
      signal.throwIfAborted();
      return await publish(options, run, { plan, outcome, parts: sink.parts });
    } catch (error) {
      const { external } = outcome;
      // No set will stand for it. With a signal of its own: that of the run may be what ended it.
      const own = { ...driverOptions, signal: AbortSignal.timeout(CLEAN_UP_LIMIT_MS) };
      if (external)
        await driver.external
          ?.remove(external, place, own)
          .catch(() => options.trace(`${external.kind} ${external.id} is left behind`));
      throw error;
    }
  } finally {
    await folder.remove();
  }
}

async function publish(
  options: RunJobOptions,
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
  await writeToAll(targets, manifestKey(name, setId), onePiece(formatManifest(manifest)));
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
  { name, stores, trace }: RunJobOptions,
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
  options: RunJobOptions,
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

/** What a run has left that failed; false where something of it cannot be removed now, which gc does later. */
async function discard(targets: readonly Target[], job: string, setId: string): Promise<boolean> {
  let isGone = true;
  for (const { store } of targets) {
    try {
      await removeSet(store, job, setId);
    } catch {
      isGone = false;
    }
  }
  return isGone;
}

function describeTarget({ store, failure }: Target): JobResult["destinations"][number] {
  return {
    name: store.name,
    place: store.place,
    state: failure === undefined ? "stored" : "failed",
    ...(failure !== undefined && { reason: describeError(failure) }),
  };
}
