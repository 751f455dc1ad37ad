import { readFile } from "node:fs/promises";

/** Of /proc/PID/stat; USER_HZ is 100 on every Linux that Node runs on. */
const TICKS_A_SECOND = 100;

/** Given a process, return when it was started, in milliseconds since 1970; undefined where there is none. */
export async function readStartTime(pid: number): Promise<number | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const uptime = Number((await readFile("/proc/uptime", "utf8")).split(" ")[0]);
    // proc(5): field 22; the second one, in brackets, may hold anything.
    const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
    return Date.now() - (uptime - ticks / TICKS_A_SECOND) * 1000;
  } catch {
    return undefined;
  }
}

/** Given a process and the name of a library, return whether it has it loaded; undefined where this user may not look. */
export async function hasLoaded(pid: number, library: string): Promise<boolean | undefined> {
  try {
    const maps = await readFile(`/proc/${pid}/maps`, "utf8");
    return maps.split("\n").some((line) => line.endsWith(`/${library}`));
  } catch {
    return undefined;
  }
}

/** Given a file that holds the number of a process, return it where that process runs. */
export async function readPidFile(file: string): Promise<number | undefined> {
  const pid = Number(await readFile(file, "utf8").catch(() => ""));
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  const isThere = (await readStartTime(pid)) !== undefined;
  return isThere ? pid : undefined;
}
