import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCode } from "../system/errors.ts";
import { printable } from "../system/printable.ts";
import { formatKnownHost } from "./append-known-host.ts";
import { programAlias, type ProgramHop, writeProgramConfig } from "./program-config.ts";
import type { Hop } from "./route.ts";

const keptLines = 3;

/** A hop as the `ssh` program is to reach it. */
export interface VerifiedHop {
  hop: Hop;
  /** In wire format; absent: a certificate authority of its known_hosts files vouches for it, and `ssh` checks that. */
  key?: Buffer;
}

/** The private folder of one run of the `ssh` program. */
export interface ProgramFolder {
  /** For `ssh -F`. */
  configFile: string;
  /** Of the master's socket. */
  controlPath: string;
  logFile: string;
  /** The last lines of the log, printable. */
  readWords(): Promise<string[]>;
  remove(): Promise<void>;
}

/**
 * Given hops, outermost first, make the folder (0700) with the files that `ssh` needs to reach the last of them: a configuration and
 * the verified host keys. What killed runs have left is removed. Throws `configuration` as `writeProgramConfig` does.
 */
export async function makeProgramFolder(
  hops: readonly VerifiedHop[],
  options: { canAsk: boolean; timeoutMs: number },
): Promise<ProgramFolder> {
  await removeLeftovers();
  // Not below the state folder: a socket's path may have a hundred characters only.
  const folder = await mkdtemp(join(tmpdir(), `lcops-ssh-${process.pid}-`));
  const configFile = join(folder, "config");
  const controlPath = join(folder, "s");
  const logFile = join(folder, "log");
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const knownHosts = join(folder, "known_hosts");
    const lines = hops.flatMap(({ key }, index) =>
      key ? [formatKnownHost(programAlias(index), key)] : [],
    );
    await writeFile(knownHosts, `${lines.join("\n")}\n`, { mode: 0o600 });
    const text = writeProgramConfig(
      hops.map((one) => describeHop(one, knownHosts)),
      { controlPath, canAsk: options.canAsk, connectTimeoutMs: options.timeoutMs },
    );
    await writeFile(configFile, text, { mode: 0o600 });
  } catch (error) {
    await remove();
    throw error;
  }
  return { configFile, controlPath, logFile, remove, readWords: () => readWords(logFile) };
}

function describeHop({ hop, key }: VerifiedHop, pinned: string): ProgramHop {
  const own = hop.identity ? [hop.identity.knownHostsFile] : [];
  return {
    hop,
    isPinned: key !== undefined,
    knownHostsFiles: key ? [pinned] : [...own, ...hop.knownHostsFiles],
  };
}

/** Folders of runs that were killed. */
async function removeLeftovers(): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => []);
  await Promise.all(
    names.map(async (name) => {
      const pid = Number(/^lcops-ssh-(\d+)-/.exec(name)?.[1]);
      if (!(pid > 0) || isRunning(pid)) return;
      // Another user's stays where it is.
      await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
    }),
  );
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) !== "ESRCH";
  }
}

async function readWords(logFile: string): Promise<string[]> {
  const text = await readFile(logFile, "utf8").catch(() => "");
  return text.trim().split(/\r?\n/).filter(Boolean).slice(-keptLines).map(printable);
}
