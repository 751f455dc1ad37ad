import { spawn } from "node:child_process";
import { errorCode, OperatorError } from "./errors.ts";
import { explainStart } from "./explain-start.ts";
import type { ProgramResult } from "./program.ts";

const END_LIMIT_MS = 2_000;
/** Of what it says the last part is kept. */
const LONGEST_OUTPUT = 1024 * 1024;

/**
 * Given a program and its arguments, run it without a shell, without input and away from the terminal, so that neither it nor its children can ask
 * there, and return its exit code and output. `environment` is all that it gets of variables. It is ended with all its children when it has said
 * nothing for `silenceMs`, and when the signal is aborted. Throws `missing`, `failed` for the silence, and the signal's reason.
 */
export function runInGroup(
  program: string,
  args: readonly string[],
  options: { environment: NodeJS.ProcessEnv; signal: AbortSignal; silenceMs: number },
): Promise<ProgramResult> {
  const { environment, signal, silenceMs } = options;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: environment,
      detached: true,
    });
    const said = { stdout: "", stderr: "" };
    let isSilent = false;
    let killing: NodeJS.Timeout | undefined;
    const signalGroup = (name: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, name);
      } catch (error) {
        if (errorCode(error) !== "ESRCH") throw error;
      }
    };
    // It may have something to clean up; what does not end is ended.
    const stop = (): void => {
      signalGroup("SIGTERM");
      killing = setTimeout(() => signalGroup("SIGKILL"), END_LIMIT_MS);
    };
    const silence = setTimeout(() => {
      isSilent = true;
      stop();
    }, silenceMs);
    for (const name of ["stdout", "stderr"] as const)
      child[name].setEncoding("utf8").on("data", (text: string) => {
        said[name] = (said[name] + text).slice(-LONGEST_OUTPUT);
        silence.refresh();
      });
    signal.addEventListener("abort", stop);
    const settle = (act: () => void): void => {
      clearTimeout(silence);
      clearTimeout(killing);
      signal.removeEventListener("abort", stop);
      act();
    };
    child.once("error", (error) => settle(() => reject(explainStart(program, error))));
    child.once("close", (code) =>
      settle(() => {
        if (signal.aborted) return reject(signal.reason as Error);
        if (isSilent)
          return reject(
            new OperatorError("failed", `${program} has heard nothing for ${silenceMs / 1000} s`),
          );
        return resolve({ code: code ?? 1, ...said });
      }),
    );
  });
}
