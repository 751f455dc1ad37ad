import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";

export interface Timing {
  ms: number;
  /** Of the command with its children, and of the server that it asks. */
  cpuSeconds: number;
}

/** Given a command line, what tells the CPU seconds of its server so far, and where its output goes, run it; `time` of bash counts the children too. Throws where it fails. */
export async function timeCommand(
  words: readonly string[],
  environment: Record<string, string>,
  readServerCpu: () => Promise<number>,
  result = "/dev/null",
): Promise<Timing> {
  const before = await readServerCpu();
  const beganMs = performance.now();
  const script = 'TIMEFORMAT="%U %S"; time "$@" 2>&3';
  const child = spawn("bash", ["-c", script, "bash", ...words], {
    env: environment,
    stdio: ["ignore", "pipe", "pipe", 2],
  });
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, "close");
  if (child.stdout) await pipeline(child.stdout, createWriteStream(result));
  const [code] = (await ended) as [number | null];
  const ms = performance.now() - beganMs;
  if (code !== 0) throw new Error(`${words[0]} has ended with ${code}`);
  const near = said.trim().split(" ").map(Number);
  return {
    ms,
    cpuSeconds: near.reduce((sum, seconds) => sum + seconds, 0) + (await readServerCpu()) - before,
  };
}

const TICKS_A_SECOND = 100;

/** Given a process, return the CPU seconds that it has used itself, or with `children` those of its children that have ended too. */
export async function readCpuSeconds(pid: string, of: "self" | "children"): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const from = of === "self" ? 11 : 13;
  return (Number(fields[from]) + Number(fields[from + 1])) / TICKS_A_SECOND;
}
