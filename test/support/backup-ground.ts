/** A Graphite's whisper files, two destinations and a configuration: what backups are tried on without a lab. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Config } from "./known-config.ts";
import { type LcopsOptions, type LcopsResult, runLcops } from "./run-lcops.ts";

export interface BackupGround {
  folder: string;
  whisper: string;
  config: Config;
  environment: Record<string, string>;
  at: (...names: string[]) => string;
  /** Writes the configuration anew, changed. */
  configure: (change: (config: Config) => void) => void;
  lcops: (...words: string[]) => Promise<LcopsResult>;
  run: (words: readonly string[], options: Partial<LcopsOptions>) => Promise<LcopsResult>;
  /** Names of the sets that list shows, oldest first. */
  sets: () => Promise<string[]>;
  /** Paths of all files at a destination, relative to it. */
  files: (destination: "server" | "operator") => string[];
  remove: () => void;
}

/** Given how many points, return a whisper file of one archive, every point written; see whisper.py for the format. */
export function makeWhisper(points: number, seed: number): Buffer {
  const file = Buffer.alloc(28 + points * 12);
  file.writeUInt32BE(1, 0);
  file.writeUInt32BE(points * 60, 4);
  file.writeFloatBE(0.5, 8);
  file.writeUInt32BE(1, 12);
  file.writeUInt32BE(28, 16);
  file.writeUInt32BE(60, 20);
  file.writeUInt32BE(points, 24);
  for (let index = 0; index < points; index++) {
    file.writeUInt32BE(1_400_000_000 + index * 60, 28 + index * 12);
    file.writeDoubleBE(Math.sin(seed + index), 32 + index * 12);
  }
  return file;
}

/** Makes a ground with a few metrics in two roots. */
export function makeBackupGround(): BackupGround {
  const folder = mkdtempSync(path.join(os.tmpdir(), "lcops-backup-"));
  const at = (...names: string[]): string => path.join(folder, ...names);
  const whisper = at("whisper");
  const home = at("home");
  mkdirSync(home);
  for (const [index, name] of ["stats/api/hits", "stats/api/errors", "carbon/agents/a"].entries()) {
    mkdirSync(path.dirname(path.join(whisper, name)), { recursive: true });
    writeFileSync(path.join(whisper, `${name}.wsp`), makeWhisper(200, index));
  }
  const config: Config = {
    environments: { dev: { production: false } },
    services: {
      graphite: { kind: "graphite", environment: "dev", address: "127.0.0.1", port: 9 },
    },
    backups: {
      destinations: { server: { folder: at("server") }, operator: { folder: at("operator") } },
      recipients: [],
      jobs: { graphite: { service: "graphite", graphite: { folder: whisper } } },
    },
  };
  const write = (): void => writeFileSync(at("lcops.config.json"), JSON.stringify(config));
  write();
  const environment = {
    PATH: process.env["PATH"] ?? "",
    LANG: "C.UTF-8",
    HOME: home,
    LCOPS_CONFIG: at("lcops.config.json"),
  };
  const run: BackupGround["run"] = (words, options) =>
    runLcops(words, { environment, timeoutMs: 60_000, ...options });
  const lcops = (...words: string[]): Promise<LcopsResult> => run(words, {});
  return {
    folder,
    whisper,
    config,
    environment,
    at,
    lcops,
    run,
    configure: (change) => {
      change(config);
      write();
    },
    sets: async () => {
      const { stdout } = await lcops("backup", "list", "--json");
      return (JSON.parse(stdout) as { sets: { setId: string }[] }).sets.map(({ setId }) => setId);
    },
    files: (destination) =>
      !existsSync(at(destination))
        ? []
        : readdirSync(at(destination), { recursive: true, withFileTypes: true })
            .filter((entry) => entry.isFile())
            .map((entry) => path.relative(at(destination), path.join(entry.parentPath, entry.name)))
            .toSorted(),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Given two folders, return where the whisper files below them differ. */
export function compareFolders(one: string, other: string): string[] {
  const read = (folder: string): Map<string, string> =>
    new Map(
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => {
          const file = path.join(entry.parentPath, entry.name);
          return [path.relative(folder, file), readFileSync(file).toString("base64")] as const;
        }),
    );
  const [first, second] = [read(one), read(other)];
  return [...new Set([...first.keys(), ...second.keys()])].filter(
    (name) => first.get(name) !== second.get(name),
  );
}
