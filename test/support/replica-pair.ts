/** A primary and a replica that one test file has for itself, so that it may stop and spoil them. */
import { readFileSync, writeFileSync } from "node:fs";
import { execFile } from "node:child_process";
import path from "node:path";
import type { ConsistencyConfig } from "../../src/config/consistency-schema.ts";
import type { Config } from "../../src/config/schema.ts";
import type { Lab } from "../lab/lab.ts";
import { startLab } from "../lab/start-lab.ts";
import { type LcopsOptions, type LcopsResult, runLcops } from "./run-lcops.ts";

export interface ReplicaPair {
  lab: Lab;
  config: Config;
  /** Has SQL done as root; on the replica it stays out of its binary log. */
  primary: (sql: string) => Promise<string>;
  replica: (sql: string) => Promise<string>;
  /** Waits until the replica has all of the primary. */
  settle: () => Promise<void>;
  /** Writes the configuration anew, changed. */
  configure: (change: (config: Config) => void) => void;
  /** Makes this the one check that is configured. */
  check: (entry: Partial<ConsistencyConfig>) => void;
  lcops: (words: readonly string[], options?: Partial<LcopsOptions>) => Promise<LcopsResult>;
  stop: () => Promise<void>;
}

/** Given more parts of the lab that are wished, start a pair with them; undefined where this machine has no MariaDB. */
export async function startPair(
  parts: NonNullable<Parameters<typeof startLab>[0]>["parts"] = [],
): Promise<ReplicaPair | undefined> {
  const lab = await startLab({ parts: ["replica", ...parts], ports: "free" });
  if (!lab.services.mysql?.replica) {
    await lab.stop();
    return undefined;
  }
  const config = JSON.parse(readFileSync(lab.configPath, "utf8")) as Config;
  const configure: ReplicaPair["configure"] = (change) => {
    change(config);
    writeFileSync(lab.configPath, JSON.stringify(config));
  };
  const primary = (sql: string): Promise<string> => send(lab, "primary", sql);
  const replica = (sql: string): Promise<string> =>
    send(lab, "replica", `SET SESSION sql_log_bin = 0;\n${sql}`);
  return {
    lab,
    config,
    primary,
    replica,
    settle: async () => {
      const position = (await primary("SELECT @@gtid_binlog_pos;")).trim();
      const waited = await replica(`SELECT MASTER_GTID_WAIT('${position}', 20);`);
      if (waited.trim() !== "0") throw new Error(`the replica does not follow: ${waited}`);
    },
    configure,
    check: (entry) =>
      configure((written) => {
        written.consistency = { check: { service: "school", ...entry } };
      }),
    lcops: (words, options = {}) =>
      runLcops(words, { environment: lab.environment, timeoutMs: 60_000, ...options }),
    stop: lab.stop,
  };
}

function send(lab: Lab, name: "primary" | "replica", sql: string): Promise<string> {
  const defaults = `--defaults-file=${path.join(lab.folder, `secrets/${name}.cnf`)}`;
  return new Promise((resolve, reject) => {
    const child = execFile(
      "mariadb",
      [defaults, "--default-character-set=utf8mb4", "--skip-column-names", "--batch"],
      { timeout: 60_000, maxBuffer: 2 ** 26 },
      (error, stdout) => (error ? reject(error) : resolve(stdout)),
    );
    child.stdin?.end(sql);
  });
}
