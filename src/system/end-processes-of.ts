import { readdir, readFile } from "node:fs/promises";

/** Given the absolute path of a folder of lcops' own, end (SIGKILL) every process that was started with it among its arguments. Only where there is a /proc. */
export async function endProcessesOf(folder: string): Promise<void> {
  const entries = await readdir("/proc").catch(() => []);
  for (const pid of entries.filter((entry) => /^\d+$/.test(entry))) {
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    const isOurs = line.split("\0").some((word) => word.includes(`${folder}/`));
    if (!isOurs || Number(pid) === process.pid) continue;
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended meanwhile, or is somebody else's.
    }
  }
}
