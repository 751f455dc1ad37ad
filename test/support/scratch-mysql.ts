import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DriverOptions } from "../../src/services/backup-driver.ts";
import { passableFolder } from "../../src/services/passable-folder.ts";
import { openMysqlScratch } from "../../src/services/mysql/open-scratch.ts";
import { runProgram } from "../../src/system/program.ts";
import type { ServicePlace } from "../../src/reach/service-place.ts";

export interface ScratchMysql {
  place: ServicePlace;
  options: DriverOptions;
  /** Of its own; goes with it. */
  folder: string;
  close(): Promise<void>;
}

/** Starts a MariaDB as a drill does. Undefined where this machine has none. */
export async function startScratchMysql(): Promise<ScratchMysql | undefined> {
  const environment = { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin` };
  const found = await runProgram("mariadbd", ["--no-defaults", "--version"], { environment }).catch(
    () => undefined,
  );
  const version = /Ver (\d+\.\d+\.\d+)/.exec(found?.stdout ?? "")?.[1];
  if (version === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), "lcops-scratch-"));
  const options: DriverOptions = {
    job: { service: "scratch" },
    environment,
    signal: new AbortController().signal,
    update: () => undefined,
    trace: () => undefined,
    parallel: 2,
    folder,
    jobFolder: folder,
  };
  const scratch = await openMysqlScratch(
    {
      setId: "",
      job: "scratch",
      kind: "mysql",
      source: { engine: "mariadb", version },
      consistency: { level: "lock-synced", at: "", proof: {} },
      objects: [],
      skipped: [],
      parts: [],
      facts: [],
    },
    options,
  );
  if ("needs" in scratch) throw new Error(`it needs ${scratch.needs}`);
  return {
    place: scratch.target.place,
    options,
    folder,
    close: async () => {
      await scratch.close();
      // Its data stand where another user may go.
      await rm(passableFolder(folder), { recursive: true, force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}
