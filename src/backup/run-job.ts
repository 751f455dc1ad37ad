import type pLimit from "p-limit";
import type { DestinationName } from "../config/backup-schema.ts";
import type { BackupWarning } from "../services/backup-driver.ts";
import { describeError, describeInOneLine, OperatorError } from "../system/errors.ts";
import type { Journal } from "../system/journal.ts";
import type { Encoder } from "./codec.ts";
import { findEarlier } from "./find-earlier.ts";
import { claimSet } from "./claim-set.ts";
import { makeSink, type Target } from "./make-sink.ts";
import type { Manifest } from "./manifest.ts";
import { type PublishOptions, publishSet } from "./publish-set.ts";
import { makeRunFolder } from "./run-folder.ts";
import { removeSet } from "./remove-set.ts";
import { makeSetId } from "./set-id.ts";
import { jobFolderOf } from "./job-folder.ts";
import { dataPrefix, TakenError } from "./store.ts";
import { forgetRun, noteRun } from "./unfinished-runs.ts";

/** What may still be taken to remove what no set stands for. */
const CLEAN_UP_LIMIT_MS = 30_000;

export interface RunJobOptions extends PublishOptions {
  encoder: Encoder;
  limit: ReturnType<typeof pLimit>;
  parallel: number;
  stateFolder: string;
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
  update: (line: string) => void;
  warn: (line: string) => void;
  passed: (bytes: number) => void;
  journal: Journal;
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
  /** Whether a guard stands in the way, and nothing failed. */
  refused?: true;
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
    const isGone = await discard(targets, name, setId);
    if ((await discardElsewhere(options, setId)) && isGone)
      await forgetRun(options.stateFolder, name, setId);
    signal.throwIfAborted();
    for (const target of targets) target.failure ??= error;
    return {
      ...base(),
      state: "failed",
      reason: describeInOneLine(error),
      ...(error instanceof OperatorError && error.next !== undefined && { next: error.next }),
      ...(error instanceof OperatorError && error.kind === "refused" && { refused: true as const }),
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
      jobFolder: jobFolderOf(options.stateFolder, name),
      signal: AbortSignal.any([signal, stop.signal]),
    };
    options.update(`${name}: looking at what there is`);
    const plan = await driver.plan(place, driverOptions);
    await claimSet(targets, name, setId);
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
      return await publishSet(options, run, { plan, outcome, parts: sink.parts });
    } catch (error) {
      const { external } = outcome;
      // No set will stand for it. With a signal of its own: that of the run may be what ended it.
      const own = { ...driverOptions, signal: AbortSignal.timeout(CLEAN_UP_LIMIT_MS) };
      if (external)
        await driver.external
          ?.remove(external, place, own)
          .catch(() => options.trace(`${external.kind} ${external.id} is not removed yet`));
      throw error;
    }
  } finally {
    await folder.remove();
  }
}

/** What a run has left that failed; false where something of it cannot be removed now, which gc does later. */
async function discard(targets: readonly Target[], job: string, setId: string): Promise<boolean> {
  let isGone = true;
  for (const { store, failure } of targets) {
    // What stands there is another run's.
    if (failure instanceof TakenError) continue;
    try {
      await removeSet(store, job, setId);
    } catch {
      isGone = false;
    }
  }
  return isGone;
}

/** The same for what its driver has made elsewhere, as a snapshot that it could not remove itself while the cluster was away. */
async function discardElsewhere(options: RunJobOptions, setId: string): Promise<boolean> {
  const { name, driver, place, stateFolder, trace } = options;
  if (!driver.external) return true;
  const own = {
    ...options,
    folder: stateFolder,
    jobFolder: jobFolderOf(stateFolder, name),
    signal: AbortSignal.timeout(CLEAN_UP_LIMIT_MS),
  };
  try {
    for (const left of await driver.external.findLeft([setId], place, own))
      await driver.external.remove(left, place, own);
    return true;
  } catch (error) {
    trace(`${name}: what ${setId} may have left is for the next run: ${describeError(error)}`);
    return false;
  }
}

function describeTarget({ store, failure }: Target): JobResult["destinations"][number] {
  return {
    name: store.name,
    place: store.place,
    state: failure === undefined ? "stored" : "failed",
    ...(failure !== undefined && { reason: describeError(failure) }),
  };
}
