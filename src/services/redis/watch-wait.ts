import type { RedisClient } from "./connect-redis.ts";

export interface WaitWatch {
  /** The longest that an answer has taken since the last call, and the one that is still awaited. */
  takeWorstMs(): number;
  close(): void;
}

const EVERY_MS = 20;

/** Given a connection of its own, ask PING again and again, as any other client of the server would; what fails is asked no more. */
export function watchWait(client: RedisClient): WaitWatch {
  let worstMs = 0;
  let askedAt: number | undefined;
  const ask = async (): Promise<void> => {
    askedAt = performance.now();
    await client.send("PING");
    worstMs = Math.max(worstMs, performance.now() - askedAt);
    askedAt = undefined;
  };
  const timer = setInterval(() => {
    if (askedAt === undefined) ask().catch(() => clearInterval(timer));
  }, EVERY_MS);
  return {
    takeWorstMs: () => {
      const worst = Math.max(worstMs, askedAt === undefined ? 0 : performance.now() - askedAt);
      worstMs = 0;
      return worst;
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
