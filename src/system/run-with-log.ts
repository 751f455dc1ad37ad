import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { missingProgram } from "./explain-start.ts";

/** POSIX, Shell Command Language, 2.8.2. */
const notFound = 127;

/**
 * Given a program that may leave a part of itself running, start it without input, with all that it says appended to a file,
 * and return its exit code, 255 where a signal ended it. With `asks` its standard error is the terminal, on which it may ask;
 * what stays of it, and its own children, are deaf to that terminal's Ctrl-C all the same. Throws `missing` where there is no such
 * program, and the signal's reason, having sent it SIGTERM.
 */
export function runWithLog(
  program: string,
  args: readonly string[],
  options: { logFile: string; asks: boolean; signal: AbortSignal },
): Promise<number> {
  const { logFile, asks, signal } = options;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const log = openSync(logFile, "a", 0o600);
    const child = spawn("/bin/sh", ["-c", 'trap "" INT; exec "$0" "$@"', program, ...args], {
      stdio: ["ignore", log, asks ? "inherit" : log],
      // Who need not ask has no business with the terminal, nor with its Ctrl-C.
      detached: !asks,
    });
    closeSync(log);
    const stop = (): void => void child.kill("SIGTERM");
    signal.addEventListener("abort", stop);
    child.once("error", (error) => {
      signal.removeEventListener("abort", stop);
      reject(error);
    });
    child.once("exit", (code) => {
      signal.removeEventListener("abort", stop);
      if (signal.aborted) return reject(signal.reason as Error);
      if (code !== notFound) return resolve(code ?? 255);
      reject(missingProgram(program));
    });
  });
}
