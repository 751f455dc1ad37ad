/** A pool of warm processes that run the built program: see warm-lcops.cjs. */
import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { EventEmitter } from "node:events";
import path from "node:path";
import type { LcopsResult, Run } from "./run-lcops.ts";

const PROGRAM = path.join(import.meta.dirname, "warm-lcops.cjs");

/** Those that wait for a command line. */
const idle: ChildProcess[] = [];

/** Returns one that still lives, undefined where there is none. */
function takeIdle(): ChildProcess | undefined {
  let child = idle.pop();
  while (child && !child.connected) child = idle.pop();
  return child;
}

function start(): ChildProcess {
  const child = spawn(process.execPath, [PROGRAM], {
    env: {},
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  child.stdout?.setEncoding("utf8");
  child.stderr?.setEncoding("utf8");
  return child;
}

/** Takes a command line and its variables; starts it in a warm process. It ends as a process of its own would. */
export function startWarm(words: readonly string[], environment: NodeJS.ProcessEnv): Run {
  const child = takeIdle() ?? start();
  // Written to both outputs behind all that the run has said.
  const mark = `\u0000${randomUUID()}`;
  const said = { stdout: "", stderr: "" };
  const changed = new EventEmitter<{ said: [] }>();
  let answer: { code: number; isSpent: boolean } | undefined;
  let isOver = false;
  const ended = new Promise<LcopsResult>((resolve, reject) => {
    const settle = (): void => {
      if (!answer || !said.stdout.endsWith(mark) || !said.stderr.endsWith(mark)) return;
      for (const name of ["stdout", "stderr"] as const)
        said[name] = said[name].slice(0, -mark.length);
      finish();
      if (answer.isSpent) child.disconnect();
      else idle.push(child);
      resolve({ code: answer.code, signal: null, ...said });
    };
    const hear = (name: "stdout" | "stderr") => (text: string) => {
      said[name] += text;
      changed.emit("said");
      settle();
    };
    const [onStdout, onStderr] = [hear("stdout"), hear("stderr")];
    const onMessage = (message: unknown): void => {
      answer = message as typeof answer;
      settle();
    };
    // It has ended itself, as a crash and process.exit do, or was killed.
    const onClose = (code: number | null, signal: NodeJS.Signals | null): void => {
      finish();
      resolve({ code, signal, ...said });
    };
    const finish = (): void => {
      isOver = true;
      child.stdout?.off("data", onStdout);
      child.stderr?.off("data", onStderr);
      child.off("message", onMessage).off("close", onClose).off("error", reject);
    };
    child.stdout?.on("data", onStdout);
    child.stderr?.on("data", onStderr);
    child.on("message", onMessage).on("close", onClose).on("error", reject);
  });
  child.send({ words, environment: definedOf(environment), mark });
  const send = (signal: NodeJS.Signals): void => {
    if (!isOver) child.kill(signal);
  };
  return { pid: child.pid ?? 0, said, changed, ended, send };
}

function definedOf(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined));
}
