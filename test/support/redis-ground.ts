/** A configuration, a journal and servers of Redis that a test file has of its own. */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { RedisConfig } from "../../src/services/redis/settings.ts";
import type { JournalEntry } from "../../src/system/journal.ts";
import { makeGround, type Ground } from "./ground.ts";
import { makeRedisServers, type RedisServers } from "./redis-servers.ts";
import { runLcops, type LcopsResult } from "./run-lcops.ts";
import type { PartName } from "../lab/lab.ts";

export interface RedisGround extends Ground {
  start: RedisServers["start"];
  serversFolder: string;
  /** A configuration with one Redis more, `cache` on that port, of development unless `more` says otherwise. */
  configFor: (port: number, more?: Partial<RedisConfig>) => string;
  /** `lcops redis VERB cache …` with that configuration. */
  redis: (verb: string, config: string, ...words: string[]) => Promise<LcopsResult>;
  /** What stands in the journal of changes to the Redis on that port, oldest first. */
  journalOf: (port: number) => JournalEntry[];
  end: () => Promise<void>;
}

/** Makes such a ground; its lab has these parts beside those that the file's tests name. */
export async function makeRedisGround(...parts: PartName[]): Promise<RedisGround> {
  const ground = await makeGround(...parts);
  const servers = makeRedisServers();
  return {
    ...ground,
    start: servers.start,
    serversFolder: servers.folder,
    configFor: (port, more = {}) =>
      ground.deriveConfig((config) => {
        const environment = more.host === undefined ? { environment: "dev" } : {};
        const cache: RedisConfig = { kind: "redis", address: "127.0.0.1", port, ...environment };
        config.services = { ...config.services, cache: { ...cache, ...more } };
      }),
    redis: (verb, config, ...words) =>
      runLcops(["redis", verb, "cache", "--config", config, ...words], {
        environment: ground.environment,
        timeoutMs: 60_000,
      }),
    journalOf: (port) => {
      const state = path.join(ground.environment["XDG_STATE_HOME"] ?? "", "lcops");
      const entries = new Map<string, JournalEntry>();
      for (const line of readIfThere(path.join(state, "journal.ndjson")).split("\n")) {
        if (line === "") continue;
        const parsed = JSON.parse(line) as JournalEntry & { outcomeOf?: string };
        if (parsed.outcomeOf === undefined) entries.set(parsed.id, parsed);
        else Object.assign(entries.get(parsed.outcomeOf) ?? {}, { outcome: parsed });
      }
      return [...entries.values()].filter(({ change }) => change.includes(`:${port} `));
    },
    end: async () => {
      await servers.stop();
      ground.remove();
    },
  };
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** What a run with `--json` has printed. */
export const readJson = (result: LcopsResult): Record<string, unknown> =>
  JSON.parse(result.stdout) as Record<string, unknown>;
