import { once } from "node:events";
import { PassThrough } from "node:stream";
import type pLimit from "p-limit";
import type { PartSink } from "../services/backup-driver.ts";
import type { NewPart, PartRecord, SetContent } from "../services/set-content.ts";
import { describeError } from "../system/errors.ts";
import type { Encoder } from "./codec.ts";
import { makeDigester } from "./digest-bytes.ts";
import type { Store } from "./store.ts";

/** A destination of one run: what fails at one of them fails there alone. */
export interface Target {
  store: Store;
  /** Why nothing of this run counts there. */
  failure?: unknown;
}

export interface SinkOptions {
  targets: readonly Target[];
  /** What the keys of the parts begin with. */
  prefix: string;
  encoder: Encoder;
  /** How many parts may be on their way at once, of all sinks that share it. */
  limit: ReturnType<typeof pLimit>;
  /** Told of plain bytes as they pass. */
  passed: (bytes: number) => void;
  /** What waits for room is not begun any more. */
  signal: AbortSignal;
}

/** What is on its way to a destination that is slower than the others. */
const BUFFER_BYTES = 1024 * 1024;

export interface SetSink extends PartSink {
  /** The records of the parts that are stored. */
  parts: readonly PartRecord[];
  /** Resolves once nothing is on its way any more, however it ended. */
  idle(): Promise<void>;
}

/** Return the sink of one set. */
export function makeSink(options: SinkOptions): SetSink {
  const { targets, prefix, encoder, limit, passed, signal } = options;
  const parts: PartRecord[] = [];
  const paths = new Set<string>();
  const write = async (part: NewPart, content: AsyncIterable<Uint8Array>): Promise<PartRecord> => {
    const path = `${part.path}${encoder.suffix}`;
    // Two objects of one name would be one part: a bug of a driver that must never reach a disk.
    if (paths.has(path)) throw new Error(`the part ${path} is written twice`);
    paths.add(path);
    const plain = makeDigester();
    const stored = makeDigester();
    const encoded = stored.pass(encoder.encode(plain.pass(tell(content, passed))));
    await writeToAll(targets, `${prefix}${path}`, encoded).catch((error: unknown) => {
      // Nothing of it is stored: it may be tried again.
      paths.delete(path);
      throw error;
    });
    const record: PartRecord = {
      ...part,
      path,
      plain: plain.end(),
      stored: stored.end(),
      codec: encoder.steps,
    };
    parts.push(record);
    return record;
  };
  const underWay = new Set<Promise<unknown>>();
  return {
    parts,
    refer: (part, earlier: SetContent) => {
      if (paths.has(part.path)) throw new Error(`the part ${part.path} is written twice`);
      paths.add(part.path);
      parts.push({ ...part, in: part.in ?? earlier.setId });
    },
    idle: async () => {
      while (underWay.size > 0) await Promise.allSettled(underWay);
    },
    write: (part, content, { isRunning = false } = {}) => {
      const begin = (): Promise<PartRecord> => {
        signal.throwIfAborted();
        return write(part, content);
      };
      const written = isRunning ? Promise.resolve().then(begin) : limit(begin);
      underWay.add(written);
      const forget = (): void => void underWay.delete(written);
      written.then(forget, forget);
      return written;
    },
  };
}

async function* tell(
  content: AsyncIterable<Uint8Array>,
  passed: (bytes: number) => void,
): AsyncIterable<Uint8Array> {
  for await (const chunk of content) {
    passed(chunk.length);
    yield chunk;
  }
}

/**
 * Given bytes, write them to every target that has not failed yet, at the pace of the slowest. One that fails is left behind with its
 * reason; throws that reason where none is left, and what the content throws.
 */
export async function writeToAll(
  targets: readonly Target[],
  key: string,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  let hasSourceFailed = false;
  const lanes = targets
    .filter(({ failure }) => failure === undefined)
    .map((target) => {
      const stream = new PassThrough({ highWaterMark: BUFFER_BYTES });
      stream.on("error", () => undefined);
      const closed = once(stream, "close").catch(() => undefined);
      const written = target.store.write(key, stream).catch((error: unknown) => {
        // The source's own failure is no destination's: other parts are on their way there.
        if (!hasSourceFailed) target.failure ??= error;
        stream.destroy();
      });
      return { target, stream, closed, written };
    });
  const alive = (): typeof lanes => lanes.filter(({ target }) => target.failure === undefined);
  try {
    for await (const chunk of content) {
      const full = alive().filter(({ stream }) => !stream.write(chunk));
      await Promise.all(
        full.map(({ stream, closed }) =>
          Promise.race([once(stream, "drain").catch(() => undefined), closed]),
        ),
      );
      if (alive().length === 0) break;
    }
  } catch (error) {
    // What they have of it is taken back.
    hasSourceFailed = true;
    for (const { stream } of lanes)
      stream.destroy(error instanceof Error ? error : new Error(describeError(error)));
    await Promise.all(lanes.map(({ written }) => written));
    throw error;
  }
  for (const { stream } of lanes) stream.end();
  await Promise.all(lanes.map(({ written }) => written));
  if (alive().length === 0) throw lanes[0]?.target.failure ?? allFailed(targets);
}

/** Given something small, put it to every target that has not failed yet, where nothing of that key may be; the rest as `writeToAll`. */
export async function createAtAll(
  targets: readonly Target[],
  key: string,
  content: Uint8Array,
): Promise<void> {
  const alive = targets.filter(({ failure }) => failure === undefined);
  await Promise.all(
    alive.map((target) =>
      target.store.create(key, content).catch((error: unknown) => {
        target.failure = error;
      }),
    ),
  );
  if (alive.every(({ failure }) => failure !== undefined)) throw allFailed(targets);
}

function allFailed(targets: readonly Target[]): unknown {
  return targets[0]?.failure ?? new Error("there is no destination");
}
