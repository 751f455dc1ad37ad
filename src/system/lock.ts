import { open, readFile, rename, rm } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { describeError, errorCode, OperatorError } from "./errors.ts";

const [MOST_ATTEMPTS, EMPTY_MS] = [3, 50];

/**
 * Given the path of a lock, hold it and return what lets it go. Throws `locked`, naming the process, while another one holds it;
 * a lock whose process is gone is taken over.
 */
export async function holdLock(path: string, what: string): Promise<() => Promise<void>> {
  const mine = `${process.pid} ${startOf(process.pid) ?? ""}\n`;
  for (let attempt = 0; ; attempt++) {
    try {
      const file = await open(path, "wx", 0o600);
      await file.writeFile(mine).finally(() => file.close());
      return () => rm(path, { force: true });
    } catch (error) {
      if (errorCode(error) !== "EEXIST") {
        throw new OperatorError("failed", `${what}: ${describeError(error)}`, {
          next: "name a folder that is there and can be written",
          cause: error,
        });
      }
    }
    const held = await readFile(path, "utf8").catch(() => "");
    const pid = Number.parseInt(held, 10);
    if (held === "" && attempt < MOST_ATTEMPTS) {
      // Its holder is about to write, or was killed before it could.
      await wait(EMPTY_MS);
      continue;
    }
    const isHeld = held !== "" && held === `${pid} ${startOf(pid) ?? "-"}\n`;
    if (isHeld || attempt > 2 * MOST_ATTEMPTS) {
      throw new OperatorError("locked", `${what} is held by process ${pid}`, {
        next: "wait for it, or stop it",
      });
    }
    await removeLeft(path, held);
  }
}

/** Takes it away unless another one has done that, and holds it now. */
async function removeLeft(path: string, held: string): Promise<void> {
  const aside = `${path}.${process.pid}-${Math.random().toString(36).slice(2)}`;
  try {
    await rename(path, aside);
    if ((await readFile(aside, "utf8")) === held) await rm(aside);
    else await rename(aside, path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
}

/** When a process has started, so that a later one of the same number is not taken for it; undefined where it is gone. */
function startOf(pid: number): string | undefined {
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  try {
    // proc_pid_stat(5): the name, which may hold anything, ends with the last `)`; starttime is field 22.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    if (process.platform === "linux") return undefined;
  }
  try {
    process.kill(pid, 0);
    return "alive";
  } catch (error) {
    return errorCode(error) === "EPERM" ? "alive" : undefined;
  }
}
