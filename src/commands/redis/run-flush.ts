import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { connectRedis, type RedisClient } from "../../services/redis/connect-redis.ts";
import { readInfo, type RedisInfo } from "../../services/redis/read-info.ts";
import { makeKeySample, measureKeys } from "../../services/redis/sample-keys.ts";
import { sweepKeys } from "../../services/redis/sweep-keys.ts";
import { watchWait } from "../../services/redis/watch-wait.ts";
import { OperatorError } from "../../system/errors.ts";
import { takeKernelLock } from "../../system/kernel-lock.ts";
import { printable } from "../../system/printable.ts";
import { pluralOf } from "../../system/quantities.ts";
import { startProgress } from "../../terminal/progress.ts";
import type { Context, Input } from "../command.ts";
import { carryOutFlush } from "./carry-out-flush.ts";
import { checkFlushable } from "./check-flushable.ts";
import { describeFlush, type FlushFinds, nameFlush } from "./describe-flush.ts";
import { describeKeys } from "./describe-info.ts";
import { type FlushWish, readFlushWish } from "./flush-wish.ts";
import { type OpenRedis, withRedis } from "./open-redis.ts";

/** Given what was typed, do what `lcops redis flush` says and return the exit code. */
export async function runFlush(input: Input, context: Context): Promise<number> {
  const wish = readFlushWish(input.options);
  return withRedis(
    context,
    input.operands[0] ?? "",
    (open) => flush(open, wish, context),
    wish.database,
  );
}

async function flush(open: OpenRedis, wish: FlushWish, context: Context): Promise<number> {
  const { info, finds } = await look(open, wish, context);
  if (finds.keys === 0) return tellNothing(open, wish, context);
  if (!(await context.gate(describeFlush(open, wish, info, finds)))) return 0;
  const release = await takeLock(open, context);
  try {
    // The question may have stood for long: it is another connection, and must be the same server in the same role.
    return await withClient(open, context, async (client) => {
      const now = await readInfo(client);
      await checkFlushable(client, now, wish);
      if (now.runId !== info.runId) {
        throw new OperatorError(
          "refused",
          `${open.name} is another server now, or was started anew; nothing was done`,
          { next: "look at the plan again" },
        );
      }
      return carryOutFlush(client, open, wish, now, context);
    });
  } finally {
    await release();
  }
}

/** What is there, before anything is asked. */
async function look(
  open: OpenRedis,
  wish: FlushWish,
  context: Context,
): Promise<{ info: RedisInfo; finds: FlushFinds }> {
  return withClient(open, context, async (client) => {
    const info = await readInfo(client);
    await checkFlushable(client, info, wish);
    if (wish.kind === "pattern")
      return { info, finds: await countMatching(client, open, wish.pattern, context) };
    const keys = info.databases
      .filter(({ index }) => wish.kind === "all" || index === open.place.database)
      .reduce((sum, database) => sum + database.keys, 0);
    return { info, finds: { keys, examples: [] } };
  });
}

const EXAMPLES = 3;
const LONGEST_EXAMPLE = 60;

async function countMatching(
  client: RedisClient,
  open: OpenRedis,
  pattern: string,
  context: Context,
): Promise<FlushFinds> {
  const { signal } = context;
  const progress = startProgress(context.terminal);
  const sample = makeKeySample();
  const watch = await watchWait(open.place, signal);
  try {
    const { matched } = await sweepKeys(client, {
      pattern,
      watch,
      signal,
      onStep: (keys, so) => {
        sample.add(keys);
        progress.update(
          `${open.name}: counting, ${describeKeys(so.matched)} ${pluralOf(so.matched, "matches", "match")} so far`,
        );
      },
    });
    const size = await measureKeys(client, sample.keys());
    const names = sample.keys().slice(0, EXAMPLES).map(String);
    return {
      keys: matched,
      ...(size !== undefined && { bytes: Math.round(size * matched) }),
      examples: names.map((name) =>
        name.length > LONGEST_EXAMPLE ? `${name.slice(0, LONGEST_EXAMPLE - 1)}…` : name,
      ),
    };
  } finally {
    watch.close();
    progress.end();
  }
}

async function withClient<T>(
  { place }: OpenRedis,
  { signal }: Context,
  use: (client: RedisClient) => Promise<T>,
): Promise<T> {
  const client = await connectRedis(place, signal);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

/** One flush of a service at a time. */
async function takeLock({ name }: OpenRedis, { folders }: Context): Promise<() => Promise<void>> {
  const folder = join(folders.state, "redis");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const release = await takeKernelLock(join(folder, `${name}.lock`));
  if (release) return release;
  throw new OperatorError("locked", `another run flushes ${name}`, { next: "wait for it to end" });
}

function tellNothing(open: OpenRedis, wish: FlushWish, { terminal }: Context): number {
  if (terminal.flags.json)
    terminal.printJson({ service: open.name, mode: wish.kind, removed: 0, left: 0, journal: null });
  else terminal.note(printable(`${nameFlush(open, wish)}: there is no such key, nothing to do`));
  return 0;
}
