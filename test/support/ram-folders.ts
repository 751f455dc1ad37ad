/** Where there is a RAM disk here, and where there is none. */
import { existsSync, statfsSync } from "node:fs";
import os from "node:os";

/** statfs(2). */
const TMPFS_MAGIC = 0x01021994;

const isOnRam = (folder: string): boolean =>
  existsSync(folder) && statfsSync(folder).type === TMPFS_MAGIC;

/** A folder of a RAM disk, undefined where there is none. */
export const ramFolder = ["/dev/shm"].find(isOnRam);
/** A folder that is on no RAM disk, undefined where there is none. */
export const diskFolder = [os.tmpdir(), import.meta.dirname].find((folder) => !isOnRam(folder));
