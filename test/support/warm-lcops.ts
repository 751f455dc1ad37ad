/** A pool of warm processes that run the built program: see warm-lcops.cjs. */
import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import path from "node:path";
import type { LcopsOptions, LcopsResult } from "./run-lcops.ts";

const PROGRAM = path.join(import.meta.dirname, "warm-lcops.cjs");
const LIMIT_MS = 25_000;

/** Those that wait for a command line. */
const idle: ChildProcess[] = [];

function start(): ChildProcess {
  const child = spawn(process.execPath, [PROGRAM], {
    env: {},
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  child.stdout?.setEncoding("utf8");
  child.stderr?.setEncoding("utf8");
  return child;
}

/** Takes a command line; runs it in a warm process and returns what a process of its own would. */
export function runWarm(words: readonly string[], options: LcopsOptions): Promise<LcopsResult> {
  const child = idle.pop() ?? start();
  const limitMs = options.timeoutMs ?? LIMIT_MS;
  const mark = `\u0000${randomUUID()}`;
  const said = { stdout: "", stderr: "" };
  let answer: { code: number; isSpent: boolean } | undefined;
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => {
      finish();
      child.kill("SIGKILL");
      const what = `lcops ${words.join(" ")}\nstdout: ${said.stdout}\nstderr: ${said.stderr}`;
      reject(new Error(`not ended within ${limitMs} ms: ${what}`));
    }, limitMs);
    const hear = {
      stdout: (text: string): void => {
        said.stdout += text;
        settle();
      },
      stderr: (text: string): void => {
        said.stderr += text;
        settle();
      },
    };
    const settle = (): void => {
      if (!answer || !said.stdout.endsWith(mark) || !said.stderr.endsWith(mark)) return;
      finish();
      if (answer.isSpent) child.disconnect();
      else idle.push(child);
      const [stdout, stderr] = [said.stdout, said.stderr].map((text) =>
        text.slice(0, -mark.length),
      );
      resolve({ code: answer.code, signal: null, stdout: stdout ?? "", stderr: stderr ?? "" });
    };
    const onMessage = (message: unknown): void => {
      answer = message as typeof answer;
      settle();
    };
    // It has ended itself, as a crash and process.exit do.
    const onClose = (code: number | null, signal: NodeJS.Signals | null): void => {
      finish();
      resolve({ code, signal, ...said });
    };
    const finish = (): void => {
      clearTimeout(limit);
      child.stdout?.off("data", hear.stdout);
      child.stderr?.off("data", hear.stderr);
      child.off("message", onMessage).off("close", onClose).off("error", reject);
    };
    child.stdout?.on("data", hear.stdout);
    child.stderr?.on("data", hear.stderr);
    child.on("message", onMessage).on("close", onClose).on("error", reject);
    child.send({ words, environment: definedOf(options.environment), mark });
  });
}

function definedOf(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined));
}
