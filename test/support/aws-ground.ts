/** An estate in AWS that a test file has of its own: a scripted endpoint, two profiles, a configuration, a home. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Config } from "../../src/config/schema.ts";
import { startAwsEndpoint, type AwsEndpoint } from "../lab/aws-endpoint.ts";
import { runLcops, type LcopsResult } from "./run-lcops.ts";

export const KEYS = { dev: "AKIAINVENTORYDEV0000", prod: "AKIAINVENTORYPROD000" };
export const ACCOUNTS = { dev: "111111111111", prod: "222222222222" };

export interface AwsGround {
  endpoint: AwsEndpoint;
  folder: string;
  environment: Record<string, string>;
  lcops: (...args: string[]) => Promise<LcopsResult>;
  /** Writes the configuration anew. */
  configure: (change: (config: Config) => void) => void;
  /** Writes the AWS files anew: the access keys of the profiles, and what else each says. */
  writeProfiles: (keys?: Partial<typeof KEYS>, more?: string) => void;
  /** How often that action was asked for. */
  count: (action: string) => number;
  /** Files of that folder of the cache. */
  cacheFiles: (folder: "inventory" | "identity") => string[];
  remove: () => Promise<void>;
}

/** What each ground starts with: dev in one region, prod in two, nothing in any. */
const CONFIG: Config = {
  environments: {
    dev: { production: false, aws: { profile: "dev", regions: ["us-west-2"] } },
    prod: { production: true, aws: { profile: "prod", regions: ["eu-west-1", "ap-northeast-1"] } },
  },
};

export async function makeAwsGround(): Promise<AwsGround> {
  const endpoint = await startAwsEndpoint();
  const folder = mkdtempSync(path.join(os.tmpdir(), "lcops-aws-"));
  const home = path.join(folder, "home");
  mkdirSync(home);
  const at = (name: string): string => path.join(folder, name);
  const config: Config = { ...structuredClone(CONFIG), ssh: { configFile: at("ssh_config") } };
  writeFileSync(at("ssh_config"), "");
  const writeConfig = (): void =>
    writeFileSync(at("lcops.config.json"), JSON.stringify(config), { mode: 0o600 });
  const writeProfiles: AwsGround["writeProfiles"] = (keys = {}, more = "") => {
    const all = Object.entries({ ...KEYS, ...keys });
    const regions: Record<string, string> = { dev: "us-west-2", prod: "eu-west-1" };
    writeFileSync(
      at("aws-config"),
      all
        .map(
          ([name]) =>
            `[profile ${name}]\nregion = ${regions[name]}\nendpoint_url = ${endpoint.url}\n${more}\n`,
        )
        .join("\n"),
    );
    writeFileSync(
      at("aws-credentials"),
      all
        .map(([name, key]) => `[${name}]\naws_access_key_id = ${key}\naws_secret_access_key = x\n`)
        .join("\n"),
      { mode: 0o600 },
    );
  };
  endpoint.setIdentity(KEYS.dev, { account: ACCOUNTS.dev });
  endpoint.setIdentity(KEYS.prod, { account: ACCOUNTS.prod });
  writeConfig();
  writeProfiles();
  const environment = {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    LANG: "C.UTF-8",
    TZ: "UTC",
    HOME: home,
    XDG_CONFIG_HOME: path.join(home, ".config"),
    XDG_STATE_HOME: path.join(home, ".local/state"),
    XDG_CACHE_HOME: path.join(home, ".cache"),
    LCOPS_CONFIG: at("lcops.config.json"),
    AWS_CONFIG_FILE: at("aws-config"),
    AWS_SHARED_CREDENTIALS_FILE: at("aws-credentials"),
    AWS_EC2_METADATA_DISABLED: "true",
  };
  return {
    endpoint,
    folder,
    environment,
    lcops: (...args) => runLcops(args, { environment, timeoutMs: 45_000 }),
    configure: (change) => {
      change(config);
      writeConfig();
    },
    writeProfiles,
    count: (action) => endpoint.requests.filter((request) => request.action === action).length,
    cacheFiles: (name) => {
      const place = path.join(home, ".cache/lcops", name);
      return readdirSync(place).map((file) => path.join(place, file));
    },
    remove: async () => {
      await endpoint.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** An instance id, by a number. */
export const instanceId = (index: number): string => `i-0${index.toString(16).padStart(16, "0")}`;

/** Preloaded into a program, it leaves the program's peak of memory in a file; returns the variables that do so, and what reads it in MB. */
export function watchMemory(folder: string): {
  variables: Record<string, string>;
  readMb: () => number;
} {
  const result = path.join(folder, "peak-rss");
  const hook = path.join(folder, "peak-rss.cjs");
  // Not getrusage's: that of a child begins with what its parent had.
  const peak = `/VmHWM:\\s+(\\d+)/.exec(fs.readFileSync("/proc/self/status", "utf8"))[1]`;
  const write = `fs.writeFileSync(${JSON.stringify(result)}, ${peak})`;
  writeFileSync(hook, `const fs = require("fs");\nprocess.on("exit", () => ${write});\n`);
  return {
    variables: { NODE_OPTIONS: `--require=${hook}` },
    readMb: () => Number(readFileSync(result, "utf8")) / 1024,
  };
}
