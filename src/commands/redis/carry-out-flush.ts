import type { RedisClient } from "../../services/redis/connect-redis.ts";
import { flushAtOnce, waitUntilFreed } from "../../services/redis/flush-at-once.ts";
import { readInfo, type RedisInfo } from "../../services/redis/read-info.ts";
import { type SweepCount, sweepKeys } from "../../services/redis/sweep-keys.ts";
import { watchWait } from "../../services/redis/watch-wait.ts";
import { describeError, OperatorError } from "../../system/errors.ts";
import type { ChangeRecord } from "../../system/journal.ts";
import { printable } from "../../system/printable.ts";
import { type Progress, startProgress } from "../../terminal/progress.ts";
import { countOf, describeBytes } from "../../system/quantities.ts";
import type { Context } from "../command.ts";
import { removeCommand } from "./check-flushable.ts";
import { nameFlush } from "./describe-flush.ts";
import { describeCount, describeKeys } from "./describe-info.ts";
import type { FlushWish } from "./flush-wish.ts";
import type { OpenRedis } from "./open-redis.ts";

/** How far a flush has come. */
interface Course extends SweepCount {
  /** Whether a command that removes is under way or answered. */
  isBegun: boolean;
  /** Whether its answer was not understood: what it has done is not known. */
  isUnclear?: boolean;
}

/** Given a connection and a flush that was confirmed, write it down, do it, prove it and tell it; return the exit code. */
export async function carryOutFlush(
  client: RedisClient,
  open: OpenRedis,
  wish: FlushWish,
  before: RedisInfo,
  context: Context,
): Promise<number> {
  const { terminal } = context;
  const record = await context.journal({
    change: `${nameFlush(open, wish)}, ${open.where}`,
  });
  const begin = performance.now();
  const course: Course = { matched: 0, removed: 0, isBegun: false };
  const progress = startProgress(terminal);
  try {
    await remove(client, open, wish, before, course, context, progress);
    progress.update(`${open.name}: ${describeCount(course.removed)} removed, looking after it`);
    const proof = await prove(client, open, wish, context);
    progress.end();
    const written = proof.left === 0 ? "none left" : `${proof.left} there now, written meanwhile`;
    await record.end({
      state: "done",
      detail: `${countOf(course.removed, "key")} removed, ${written}`,
    });
    tell(open, wish, { course, proof, before, record, tookMs: performance.now() - begin }, context);
    return 0;
  } catch (error) {
    progress.end();
    return await tellCut(error, course, record, open, wish, context);
  } finally {
    progress.end();
  }
}

async function remove(
  client: RedisClient,
  open: OpenRedis,
  wish: FlushWish,
  info: RedisInfo,
  course: Course,
  { signal }: Context,
  progress: Progress,
): Promise<void> {
  if (wish.kind !== "pattern") {
    course.isBegun = true;
    const counted = await flushAtOnce(client, wish.kind);
    if (!counted) {
      course.isUnclear = true;
      throw new OperatorError("failed", `${open.name} has not said what its flush has removed`);
    }
    course.removed = counted.removed;
    if (counted.left > 0)
      throw new OperatorError(
        "failed",
        `${open.name} has kept ${describeKeys(counted.left)} in its flush`,
      );
    return;
  }
  const watch = await watchWait(open.place, signal);
  try {
    await sweepKeys(
      client,
      {
        pattern: wish.pattern,
        remove: removeCommand(info),
        watch,
        signal,
        onStep: (keys, { removed }) => {
          course.isBegun ||= keys.length > 0;
          progress.update(`${open.name}: ${describeKeys(removed)} removed`);
        },
      },
      course,
    );
  } finally {
    watch.close();
  }
}

/** What is left of what was to go, and the memory once it is given back. */
interface Proof {
  left: number;
  usedBytes: number;
  pendingFrees: number;
}

async function prove(
  client: RedisClient,
  open: OpenRedis,
  wish: FlushWish,
  { signal }: Context,
): Promise<Proof> {
  const pendingFrees = await waitUntilFreed(client, signal);
  const { databases, usedBytes } = await readInfo(client);
  if (wish.kind === "pattern") {
    const watch = await watchWait(open.place, signal);
    try {
      const { matched } = await sweepKeys(client, { pattern: wish.pattern, watch, signal });
      return { left: matched, usedBytes, pendingFrees };
    } finally {
      watch.close();
    }
  }
  const left = databases
    .filter(({ index }) => wish.kind === "all" || index === open.place.database)
    .reduce((sum, { keys }) => sum + keys, 0);
  return { left, usedBytes, pendingFrees };
}

function tell(
  open: OpenRedis,
  wish: FlushWish,
  result: {
    course: Course;
    proof: Proof;
    before: RedisInfo;
    record: ChangeRecord;
    tookMs: number;
  },
  { terminal }: Context,
): void {
  const { course, proof, before, record, tookMs } = result;
  if (terminal.flags.json) {
    terminal.printJson({
      service: open.name,
      mode: wish.kind,
      removed: course.removed,
      left: proof.left,
      usedBytesBefore: before.usedBytes,
      usedBytesAfter: proof.usedBytes,
      tookMs: Math.round(tookMs),
      journal: record.id,
    });
    return;
  }
  const left =
    proof.left === 0
      ? "none is left"
      : `${describeCount(proof.left)} are there now, written meanwhile`;
  const memory = `${describeBytes(before.usedBytes)} → ${describeBytes(proof.usedBytes)}`;
  const freeing = proof.pendingFrees > 0 ? ", still being given back" : "";
  terminal.note(
    printable(
      `${open.name}: ${describeKeys(course.removed)} removed, ${left}; memory ${memory}${freeing}; ${(tookMs / 1000).toFixed(1)} s`,
    ),
  );
}

/** A flush that was cut off: what is known to be removed is told, and what is not known too. */
async function tellCut(
  error: unknown,
  course: Course,
  record: ChangeRecord,
  open: OpenRedis,
  wish: FlushWish,
  { terminal, signal }: Context,
): Promise<number> {
  const { removed, isBegun, isUnclear } = course;
  const isAnswered = error instanceof OperatorError && error.kind !== "unreachable";
  const isUnknown = isBegun && (!isAnswered || isUnclear || removed > 0);
  const why = describeError(error);
  await record.end({
    state: isUnknown ? "unknown" : "failed",
    detail: `${isUnknown ? "at least " : ""}${countOf(removed, "key")} removed: ${why}`,
  });
  if (!isUnknown) throw error;
  const reason = signal.aborted ? `${open.name}: stopped` : why;
  const known =
    removed > 0
      ? `at least ${describeKeys(removed)} removed, the rest is not known`
      : "what is removed is not known";
  if (terminal.flags.json)
    terminal.printJson({
      service: open.name,
      mode: wish.kind,
      removedAtLeast: removed,
      left: null,
      journal: record.id,
    });
  terminal.warn(
    printable(`lcops: ${reason}; ${known}; run it again, it goes on with what is left`),
  );
  if (signal.aborted) throw error;
  return 3;
}
