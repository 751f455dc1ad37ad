import { takeKernelLock } from "../../system/kernel-lock.ts";
import { OperatorError } from "../../system/errors.ts";
import type { DynamoDb } from "./connect-dynamodb.ts";
import type { DumpManifest } from "./dump-manifest.ts";
import {
  type DumpState,
  forgetDump,
  hashPartial,
  publishDump,
  readDumpState,
  removeTemporaries,
} from "./dump-state.ts";
import { countItemBytes, layOutPage } from "./lay-out-page.ts";
import type { Pacer } from "./make-pacer.ts";
import type { DumpPlan } from "./plan-dump.ts";
import { planSegments, scanTable, type ScanOptions, type Segment } from "./scan-table.ts";
import type { Page } from "./split-page.ts";
import { type DumpWriter, openDumpFile, openDumpStream } from "./write-dump.ts";

export interface DumpOptions {
  pacer: Pacer;
  limit?: number;
  /** Go on with the unfinished dump of the same file, where there is one. */
  resume: boolean;
  /** Told after each page. */
  onProgress: (progress: DumpProgress) => void;
}

export interface DumpProgress {
  items: number;
  /** Of them, those of the runs that this one goes on with. */
  resumedItems: number;
  bytes: number;
  throttles: number;
}

/**
 * Given a plan, dump the table into its file and return the manifest: whole and under its name, or not at all. A dump that is there
 * stays until then. Throws `locked` while another run writes the same file; what an error leaves can be resumed.
 */
export async function dumpTable(
  dynamoDb: DynamoDb,
  plan: DumpPlan,
  options: DumpOptions,
): Promise<DumpManifest> {
  const release = await takeKernelLock(`${plan.path}.lock`);
  if (!release) {
    throw new OperatorError("locked", `another run dumps into ${plan.path}`, {
      next: "wait for it, or stop it",
    });
  }
  try {
    await removeTemporaries(plan.path);
    const state = (options.resume && (await resumeDump(plan))) || (await beginDump(plan));
    if (state.finished) {
      await publishDump(state, state.finished);
      return state.finished;
    }
    const hash = await hashPartial(state);
    const writer = await openDumpFile(state, hash, dynamoDb.signal);
    try {
      await scanInto(dynamoDb, state, writer, options);
      await writer.finish();
    } catch (error) {
      // What has come is kept for `resume`; what went wrong first is what is told.
      await writer.finish().catch(() => undefined);
      throw error;
    } finally {
      await writer.close();
    }
    const sum = (of: "items" | "bytes"): number =>
      state.segments.reduce((total, segment) => total + segment[of], 0);
    const manifest: DumpManifest = {
      kind: "lcops-dump",
      version: 1,
      complete: true,
      table: plan.table,
      account: plan.account,
      region: plan.region,
      itemFormat: plan.itemFormat,
      codec: plan.codec,
      startedAt: state.startedAt,
      endedAt: new Date().toISOString(),
      resumed: state.resumed,
      items: sum("items"),
      itemBytes: sum("bytes"),
      fileBytes: state.offset,
      sha256: hash.digest("hex"),
      consumedUnits: state.consumedUnits,
      segments: state.segments.map(({ items, bytes }) => ({ items, bytes })),
    };
    await publishDump(state, manifest);
    return manifest;
  } finally {
    await release();
  }
}

/** Given a plan and a stream, write the table's items to it, and return how many. */
export async function streamTable(
  dynamoDb: DynamoDb,
  plan: DumpPlan,
  stream: Pick<NodeJS.WritableStream, "write">,
  options: Omit<DumpOptions, "resume">,
): Promise<{ items: number; consumedUnits: number }> {
  const state = makeState(plan);
  const writer = openDumpStream(stream);
  await scanInto(dynamoDb, state, writer, options);
  await writer.finish();
  const items = state.segments.reduce((total, segment) => total + segment.items, 0);
  return { items, consumedUnits: state.consumedUnits };
}

function makeState(plan: DumpPlan): DumpState {
  return {
    plan,
    startedAt: new Date().toISOString(),
    resumed: 0,
    offset: 0,
    consumedUnits: 0,
    segments: planSegments(plan.table),
  };
}

async function beginDump(plan: DumpPlan): Promise<DumpState> {
  // One that was killed between its names is whole, and the one to go back to if this one fails.
  const last = await readDumpState(plan.path).catch(() => undefined);
  if (last?.finished)
    await publishDump({ ...last, plan: { ...last.plan, path: plan.path } }, last.finished);
  await forgetDump(plan.path);
  return makeState(plan);
}

async function resumeDump(plan: DumpPlan): Promise<DumpState | undefined> {
  const state = await readDumpState(plan.path);
  if (!state) return undefined;
  const { table, account, itemFormat } = state.plan;
  const isSame =
    table.arn === plan.table.arn &&
    table.createdAt === plan.table.createdAt &&
    account === plan.account &&
    itemFormat === plan.itemFormat;
  if (!isSame) {
    throw new OperatorError(
      "usage",
      `the unfinished dump of ${plan.path} is of another table, or in another format`,
      { next: "leave --resume away to begin anew, or write to another file" },
    );
  }
  // Its folder may have been moved since.
  return { ...state, plan: { ...state.plan, path: plan.path }, resumed: state.resumed + 1 };
}

async function scanInto(
  dynamoDb: DynamoDb,
  state: DumpState,
  writer: DumpWriter,
  { pacer, limit, onProgress }: Omit<DumpOptions, "resume">,
): Promise<void> {
  const progress: DumpProgress = { items: 0, resumedItems: 0, bytes: 0, throttles: 0 };
  for (const segment of state.segments) {
    progress.items += segment.items;
    progress.bytes += segment.bytes;
  }
  progress.resumedItems = progress.items;
  const scan: ScanOptions = {
    table: state.plan.table.name,
    segments: state.segments,
    pacer,
    ...(limit !== undefined && { limit }),
    onThrottle: () => progress.throttles++,
    onPage: async (page, segment) => {
      const { bytes, fill } = layOutPage(page, state.plan.itemFormat);
      await writer.write(bytes, (target, at) => {
        fill(target, at);
        advance(segment, page);
        state.consumedUnits += page.consumedUnits ?? 0;
      });
      progress.items += page.bounds.length / 2;
      progress.bytes += countItemBytes(page);
      onProgress(progress);
    },
  };
  await scanTable(dynamoDb, scan);
}

function advance(segment: Segment, page: Page): void {
  segment.items += page.bounds.length / 2;
  segment.bytes += countItemBytes(page);
  if (page.lastKey === undefined) {
    segment.isDone = true;
    delete segment.lastKey;
  } else segment.lastKey = page.lastKey;
}
