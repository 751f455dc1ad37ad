import { connectRedis, type RedisClient, type RedisPlace } from "./connect-redis.ts";

export interface WaitWatch {
  /** What an answer takes these days: the middle one of the last five, or the one that is awaited for too long already. */
  usualMs(): number;
  close(): void;
}

const EVERY_MS = 20;
/** A single one may be late for reasons of this machine. */
const REMEMBERED = 5;
/** No accident of this machine takes that long. */
const HOPELESS_MS = 200;

/** Given where a Redis is, ask it PING again and again, as any other client of it would; a server that lets in nobody more is not watched. */
export async function watchWait(place: RedisPlace, signal: AbortSignal): Promise<WaitWatch> {
  try {
    return watch(await connectRedis(place, signal));
  } catch {
    signal.throwIfAborted();
    return { usualMs: () => 0, close: () => undefined };
  }
}

function watch(client: RedisClient): WaitWatch {
  const last: number[] = [];
  let askedAt: number | undefined;
  const ask = async (): Promise<void> => {
    askedAt = performance.now();
    await client.send("PING");
    last.push(performance.now() - askedAt);
    if (last.length > REMEMBERED) last.shift();
    askedAt = undefined;
  };
  const timer = setInterval(() => {
    if (askedAt === undefined) ask().catch(() => clearInterval(timer));
  }, EVERY_MS);
  return {
    usualMs: () => {
      const middle = last.toSorted((left, right) => left - right)[Math.floor(last.length / 2)] ?? 0;
      const awaitedMs = askedAt === undefined ? 0 : performance.now() - askedAt;
      return awaitedMs > HOPELESS_MS ? awaitedMs : middle;
    },
    close: () => {
      clearInterval(timer);
      client.close();
    },
  };
}

/** Return what an answer takes where nothing is to be done, in milliseconds: the shortest of several. */
export async function measureRoundTrip(client: RedisClient): Promise<number> {
  let shortest = Infinity;
  for (let times = 0; times < 5; times++) {
    const begin = performance.now();
    await client.send("PING");
    shortest = Math.min(shortest, performance.now() - begin);
  }
  return shortest;
}
