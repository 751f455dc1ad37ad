import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { errorCode } from "./errors.ts";
import { exitCodeOf, explainStart } from "./explain-start.ts";

/** Stands among the variables of all that a program starts, however it does so. */
const MARK = "LCOPS_LAUNCH";
const LOOK_AGAIN_MS = 50;
/** What is still there so long after SIGKILL waits for its disk. */
const KILL_LIMIT_MS = 2_000;

export interface MarkedProgram {
  pid: number;
  /** Resolves when it has ended, to its exit code, 128 + n when signal n ended it. Its children may go on. */
  ended: Promise<number>;
}

/**
 * Given a program and its arguments, start it in `folder` without a shell, without input, in a session of its own, with all that it says appended to
 * a file. Its mark is found in its children too, by whoever looks for it later. `environment` is all that it gets of variables beside that. Throws
 * `missing`, and `failed` where it cannot be started.
 */
export function startMarked(
  program: string,
  args: readonly string[],
  options: { mark: string; folder: string; outputFile: string; environment: NodeJS.ProcessEnv },
): Promise<MarkedProgram> {
  return new Promise((resolve, reject) => {
    const output = openSync(options.outputFile, "a", 0o600);
    const child = spawn(program, args, {
      cwd: options.folder,
      detached: true,
      stdio: ["ignore", output, output],
      env: { ...options.environment, [MARK]: options.mark },
    });
    closeSync(output);
    const ended = new Promise<number>((end) =>
      child.once("exit", (code, signal) => end(exitCodeOf(code, signal))),
    );
    child.once("error", (error) => reject(explainStart(program, error)));
    child.once("spawn", () => resolve({ pid: child.pid ?? 0, ended }));
  });
}

/**
 * Given a mark, end all that was started with it, all of their sessions and what comes of them, this process excepted: SIGTERM, and SIGKILL after
 * `patienceMs`. Returns how many have got one, and those that are still there: another user's, as what was started through sudo, are out of reach. Such
 * a one that has left its session is seen as long as its parent lives, since its variables are not. Only where there is a /proc; elsewhere what
 * `leader` has started in its group is ended.
 */
export async function endMarked(
  mark: string,
  options: { patienceMs: number; leader?: number },
): Promise<{ told: number; left: number[] }> {
  const { patienceMs, leader } = options;
  if (process.platform !== "linux")
    return { told: leader === undefined ? 0 : await endGroup(leader, patienceMs), left: [] };
  const kin = {
    sessions: new Set(leader === undefined ? [] : [leader]),
    pids: new Map<number, string>(),
  };
  const [told, outOfReach] = [new Set<number>(), new Set<number>()];
  const limit = performance.now() + patienceMs;
  for (;;) {
    const found = await findMarked(mark, kin);
    const isLate = performance.now() > limit;
    const name = isLate ? "SIGKILL" : "SIGTERM";
    // What is born meanwhile is told too, once.
    for (const pid of found) {
      if (!isLate && told.has(pid)) continue;
      const answer = sendSignal(pid, name);
      if (answer === "sent") told.add(pid);
      if (answer === "refused") outOfReach.add(pid);
    }
    const isInVain = found.every((pid) => outOfReach.has(pid));
    if (isInVain || performance.now() > limit + KILL_LIMIT_MS)
      return { told: told.size, left: found };
    await wait(LOOK_AGAIN_MS);
  }
}

interface Kin {
  sessions: Set<number>;
  /** With when each was started: a number is given again. */
  pids: Map<number, string>;
}

/** Adds to `kin` what it finds: in a session may be some that have overwritten their variables, and what comes of them may have left it. */
async function findMarked(mark: string, { sessions, pids }: Kin): Promise<number[]> {
  const entries = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry)).map(Number);
  const all = await Promise.all(entries.map((pid) => readProcess(pid, mark)));
  const alive = all.flatMap((one) => (one && one.pid !== process.pid ? [one] : []));
  for (const one of alive) if (one.isMarked) sessions.add(one.session);
  const startOf = new Map(alive.map(({ pid, startedAt }) => [pid, startedAt]));
  const isKin = (pid: number): boolean => pids.has(pid) && pids.get(pid) === startOf.get(pid);
  for (let hasFound = true; hasFound;) {
    hasFound = false;
    for (const { pid, parent, session, startedAt } of alive) {
      if (isKin(pid) || !(sessions.has(session) || isKin(parent))) continue;
      pids.set(pid, startedAt);
      hasFound = true;
    }
  }
  return alive.flatMap(({ pid }) => (isKin(pid) ? [pid] : []));
}

async function readProcess(pid: number, mark: string) {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // proc(5): state is field 3, parent 4, session 6, start 22; the second one, in brackets, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    const variables = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
    const wanted = Buffer.from(`${MARK}=${mark}`).toString("latin1");
    return {
      pid,
      parent: Number(fields[1]),
      session: Number(fields[3]),
      startedAt: fields[19] ?? "",
      isMarked: variables.split("\0").includes(wanted),
    };
  } catch {
    return undefined;
  }
}

async function endGroup(leader: number, patienceMs: number): Promise<number> {
  const limit = performance.now() + patienceMs;
  let isTold = false;
  while (sendSignal(-leader, isTold ? 0 : "SIGTERM") === "sent") {
    isTold = true;
    if (performance.now() > limit) sendSignal(-leader, "SIGKILL");
    await wait(LOOK_AGAIN_MS);
  }
  return isTold ? 1 : 0;
}

function sendSignal(pid: number, name: NodeJS.Signals | 0): "sent" | "gone" | "refused" {
  try {
    process.kill(pid, name);
    return "sent";
  } catch (error) {
    return errorCode(error) === "EPERM" ? "refused" : "gone";
  }
}
