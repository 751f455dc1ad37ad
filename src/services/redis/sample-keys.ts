import type { RedisClient } from "./connect-redis.ts";

const SAMPLE_SIZE = 200;
const ASKED_AT_ONCE = 20;

/** Some of the keys that were seen, each as likely as any other, however many there are (algorithm R of Vitter, 1985). */
export interface KeySample {
  add(keys: readonly Buffer[]): void;
  keys(): readonly Buffer[];
}

export function makeKeySample(): KeySample {
  const kept: Buffer[] = [];
  let seen = 0;
  return {
    add: (keys) => {
      for (const key of keys) {
        seen++;
        const place = kept.length < SAMPLE_SIZE ? kept.length : Math.floor(Math.random() * seen);
        // A copy: the key is a piece of a whole answer.
        if (place < SAMPLE_SIZE) kept[place] = Buffer.from(key);
      }
    },
    keys: () => kept,
  };
}

/** Given some keys, return what one of them takes of the memory on average; undefined where the server does not tell (MEMORY USAGE, since 4.0). */
export async function measureKeys(
  client: RedisClient,
  keys: readonly Buffer[],
): Promise<number | undefined> {
  const sizes: number[] = [];
  for (let at = 0; at < keys.length; at += ASKED_AT_ONCE) {
    const some = keys.slice(at, at + ASKED_AT_ONCE);
    const replies = await client.sendAll(some.map((key) => ["MEMORY", "USAGE", key]));
    sizes.push(...replies.filter((reply) => typeof reply === "number"));
  }
  return sizes.length === 0 ? undefined : sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
}
