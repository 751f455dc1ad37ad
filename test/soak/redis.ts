import { randomInt } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startRelay, type Relay } from "../lab/relay.ts";
import { makeRedisServers, type RedisServer } from "../support/redis-servers.ts";
import { startLcops, type LcopsResult } from "../support/run-lcops.ts";

const [MANY, OTHERS] = [2_000_000, 20_000];

/**
 * Given how often (20), flush 2,000,000 keys by pattern and by database, then by pattern over a link that is cut as often at random moments, each
 * time going on with what is left. Throws where a count is not exact, more is told than is gone, or another key is missing.
 */
export async function soakRedis(cuts = 20): Promise<string> {
  const servers = makeRedisServers();
  try {
    const server = await servers.start();
    const flush = async (port: number, ...words: string[]): Promise<Running> =>
      start(servers.folder, port, words);
    await server.fill("other", OTHERS);
    const took = { pattern: 0, database: 0 };
    await server.fill("sess", MANY);
    took.pattern = await expectAll(server, await flush(server.port, "--pattern", "sess:*"));
    await server.fill("sess", MANY, 3);
    took.database = await expectAll(server, await flush(server.port, "--db", "3"));
    const parts = await cutAgainAndAgain(server, cuts, flush);
    return `${MANY} keys by pattern in ${took.pattern} s, by database in ${took.database} s; by pattern over ${cuts} cuts in ${parts.runs} runs, ${parts.inTheMiddle} of them cut while they removed: nothing lost, nothing told that was not`;
  } finally {
    await servers.stop();
  }
}

interface Running {
  ended: Promise<LcopsResult>;
}

async function start(folder: string, port: number, words: readonly string[]): Promise<Running> {
  const config = {
    environments: { dev: { production: false } },
    services: { cache: { kind: "redis", environment: "dev", address: "127.0.0.1", port } },
  };
  const path = join(folder, `config-${port}.json`);
  await writeFile(path, JSON.stringify(config));
  return startLcops(["redis", "flush", "cache", ...words, "--yes", "--json"], {
    environment: { PATH: process.env["PATH"] ?? "", HOME: folder, LCOPS_CONFIG: path },
    timeoutMs: 300_000,
  });
}

const expectOthers = async (server: RedisServer, more = 0): Promise<void> => {
  const keys = Number(await server.ask("DBSIZE"));
  if (keys !== OTHERS + more) throw new Error(`${keys} keys are left, not ${OTHERS + more}`);
};

/** Returns the seconds that it took. */
async function expectAll(server: RedisServer, { ended }: Running): Promise<number> {
  const begin = performance.now();
  const { code, stdout, stderr } = await ended;
  const result = code === 0 ? (JSON.parse(stdout) as { removed: number; left: number }) : undefined;
  if (result?.removed !== MANY || result.left !== 0)
    throw new Error(`ended with ${code}: ${stdout}${stderr}`);
  await expectOthers(server);
  return Math.round(performance.now() - begin) / 1000;
}

async function cutAgainAndAgain(
  server: RedisServer,
  cuts: number,
  flush: (port: number, ...words: string[]) => Promise<Running>,
): Promise<{ runs: number; inTheMiddle: number }> {
  const relay: Relay = await startRelay({ host: "127.0.0.1", port: server.port });
  let inTheMiddle = 0;
  try {
    await server.fill("sess", MANY);
    for (let cut = 0; cut < cuts; cut++) {
      const before = Number(await server.ask("DBSIZE"));
      const running = await flush(relay.port, "--pattern", "sess:*");
      // A run lasts some seconds, half of them spent looking.
      await Promise.race([running.ended, wait(randomInt(300, 6_000))]);
      relay.cut();
      const { code, stderr } = await running.ended;
      const gone = before - Number(await server.ask("DBSIZE"));
      const told = Number(/at least ([\d,]+) key/.exec(stderr)?.[1]?.replaceAll(",", "") ?? 0);
      if (code === 1 && gone > 0) throw new Error(`${gone} keys are gone, and it ended with 1`);
      if (code === 3 && told > gone) throw new Error(`${told} are told, and ${gone} are gone`);
      if (code === 3) inTheMiddle++;
      const left = Number(await server.ask("DBSIZE"));
      if (left < OTHERS) throw new Error(`${left} keys are left, and ${OTHERS} were others`);
      if (left === OTHERS) await server.fill("sess", MANY);
    }
    const rest = Number(await server.ask("DBSIZE")) - OTHERS;
    const { stdout } = await (await flush(server.port, "--pattern", "sess:*")).ended;
    const { removed } = JSON.parse(stdout) as { removed: number };
    if (removed !== rest) throw new Error(`${removed} were removed at the end, and ${rest} there`);
    await expectOthers(server);
    return { runs: cuts + 1, inTheMiddle };
  } finally {
    await relay.close();
  }
}
