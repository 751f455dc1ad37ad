import { lstat, mkdir, readdir, readFile, statfs } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { errorCode, OperatorError } from "../system/errors.ts";
import { describeMegabytes } from "../system/quantities.ts";
import { runAsRoot } from "./run-as-root.ts";

/** statfs(2). */
const TMPFS_MAGIC = 0x01021994;
/** The name of what lcops mounts, by which it knows it again. */
const MOUNT_NAME = "lcops-rammysql";

/** Of root, the server's own user must pass through. */
const FOLDER_MODE = process.getuid?.() === 0 ? 0o711 : 0o700;

export interface RamFolder {
  folder: string;
  /** Mount a RAM disk of this size there where there is none. */
  sizeMb?: number | undefined;
}

/** Given the service's name, return the folder of its own in /dev/shm. */
export function defaultRamFolder(name: string): string {
  return `/dev/shm/lcops-${process.getuid?.() ?? 0}-${name}`;
}

/** Given where the data is to be, make the folder, and mount a RAM disk on it where that is wished. Throws where it is on no RAM disk, or somebody else's. */
export async function prepareRamFolder(
  { folder, sizeMb }: RamFolder,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  await mkdir(folder, { mode: FOLDER_MODE }).catch(async (error: unknown) => {
    if (errorCode(error) === "EEXIST") return;
    if (sizeMb === undefined || errorCode(error) !== "EACCES") throw explainFolder(folder, error);
    await demand(["mkdir", "-p", "--", folder], environment);
  });
  if (!(await isOnRam(folder))) {
    if (sizeMb === undefined) {
      throw new OperatorError("configuration", `${folder} is on no RAM disk`, {
        next: "name a folder of /dev/shm, or give sizeMb, and one is mounted there",
      });
    }
    if ((await readdir(folder).catch(() => [])).length > 0) {
      throw new OperatorError("refused", `${folder} is not empty, and no RAM disk`, {
        next: "name a folder that holds nothing",
      });
    }
    const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
    const options = `size=${sizeMb}m,mode=${FOLDER_MODE.toString(8)},uid=${uid},gid=${gid},nosuid,nodev`;
    await demand(["mount", "-t", "tmpfs", "-o", options, MOUNT_NAME, folder], environment);
  }
  // /dev/shm is everybody's: what waits there under this name may be a trap.
  if (!(await isOwn(folder))) {
    throw new OperatorError("refused", `${folder} belongs to somebody else`, {
      next: "remove it, or name another folder",
    });
  }
}

/** Given the folder, take away the RAM disk that lcops has mounted there; nothing else. */
export async function releaseRamFolder(
  folder: string,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  // fstab(5): how a space is written.
  const escaped = folder.replaceAll(" ", "\\040");
  const mounts = await readFile("/proc/mounts", "utf8");
  const isOurs = mounts.split("\n").some((line) => line.startsWith(`${MOUNT_NAME} ${escaped} `));
  if (!isOurs) return;
  // The kernel may hold files of a server that was killed a moment longer than its process.
  const limit = performance.now() + BUSY_LIMIT_MS;
  for (;;) {
    const { code, stderr } = await runAsRoot(["umount", "--", folder], environment);
    if (code === 0) return;
    if (!/busy/.test(stderr) || performance.now() > limit) {
      throw new OperatorError("failed", `umount ${folder} ended with ${code}: ${stderr.trim()}`, {
        next: "see who has it open: fuser -m, then lcops machine off again",
      });
    }
    await wait(LOOK_AGAIN_MS);
  }
}

async function demand(words: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  const { code, stderr } = await runAsRoot(words, environment);
  if (code === 0) return;
  throw new OperatorError("failed", `${words.join(" ")} ended with ${code}: ${stderr.trim()}`);
}

function explainFolder(folder: string, error: unknown): OperatorError {
  return new OperatorError("failed", `${folder} cannot be made: ${String(errorCode(error))}`, {
    next: "name a folder of /dev/shm",
    cause: error,
  });
}

/** Given a folder that is there, return whether it is on a RAM disk, and this user's. */
export async function isOwnRam(folder: string): Promise<boolean> {
  return (await isOnRam(folder)) && (await isOwn(folder));
}

async function isOwn(folder: string): Promise<boolean> {
  const found = await lstat(folder);
  return found.isDirectory() && found.uid === (process.getuid?.() ?? 0);
}

async function isOnRam(folder: string): Promise<boolean> {
  return (await statfs(folder)).type === TMPFS_MAGIC;
}

/**
 * Given the folder and how much is to be put there, throw `refused` where the RAM disk or the memory has not twice that and what the server itself
 * takes: a RAM disk that is full of data leaves the machine nothing to work with.
 */
export async function checkRoom(
  folder: string,
  sizeBytes: number,
  serverBytes: number,
): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = { disk: bavail * bsize, memory: await readAvailableMemory() };
  refuseWithoutRoom(free, sizeBytes, serverBytes);
}

/** Throws as `checkRoom` does, given the bytes that are free on the RAM disk and in memory. Pure. */
export function refuseWithoutRoom(
  { disk, memory }: { disk: number; memory: number },
  sizeBytes: number,
  serverBytes: number,
): void {
  const onDisk = sizeBytes + ROOM_ON_DISK;
  const inMemory = 2 * sizeBytes + serverBytes;
  const mb = (bytes: number): string => describeMegabytes(bytes, { base: 1024 });
  if (disk < onDisk) {
    throw new OperatorError(
      "refused",
      `the RAM disk has ${mb(disk)} left, and ${mb(onDisk)} are needed`,
      {
        next: "give it more, or begin with less data",
      },
    );
  }
  if (memory < inMemory) {
    throw new OperatorError(
      "refused",
      `${mb(memory)} of memory are free, and ${mb(inMemory)} are needed`,
      {
        next: "close something, or begin with less data",
      },
    );
  }
}

const BUSY_LIMIT_MS = 5_000;
const LOOK_AGAIN_MS = 50;
const ROOM_ON_DISK = 48 * 2 ** 20;

/** proc(5): what can be had without swapping. */
async function readAvailableMemory(): Promise<number> {
  const info = await readFile("/proc/meminfo", "utf8");
  return Number(/^MemAvailable:\s+(\d+) kB/m.exec(info)?.[1] ?? 0) * 1024;
}

/** Given a folder, return how many bytes of the disk its files take; what goes away meanwhile counts nothing. */
export async function measureFolder(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    entries.map((entry) =>
      lstat(join(folder, entry)).then(
        ({ blocks }) => blocks * 512,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
