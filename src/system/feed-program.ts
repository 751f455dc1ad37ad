import { spawn } from "node:child_process";
import { errorCode, OperatorError } from "./errors.ts";
import { explainStart } from "./explain-start.ts";

const LONGEST_WORDS = 4_096;

/**
 * Given a program and its arguments, run it without a shell, give it text as its input, and resolve when it has ended with 0; it need not read all of it, and
 * what it leaves running is not waited for. `environment` is all that it gets of variables. Past the signal it is killed with all its children. Throws
 * `missing`, `failed` with its last words on stderr, and the signal's reason.
 */
export function feedProgram(
  program: string,
  args: readonly string[],
  input: string,
  options: { environment: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<void> {
  const { environment, signal } = options;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // A group of its own, so that its children can be ended with it.
    const child = spawn(program, args, {
      stdio: ["pipe", "ignore", "pipe"],
      env: environment,
      detached: true,
    });
    let words = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      words = (words + text).slice(-LONGEST_WORDS);
    });
    // That it has closed its input is no failure: its exit code says how it went.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    const kill = (): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch (error) {
        if (errorCode(error) !== "ESRCH") throw error;
      }
    };
    const settle = (act: () => void): void => {
      signal.removeEventListener("abort", kill);
      child.stdin.destroy();
      child.stderr.destroy();
      act();
    };
    signal.addEventListener("abort", kill);
    child.once("error", (error) => settle(() => reject(explainStart(program, error))));
    child.once("exit", (code, endedBy) =>
      settle(() => {
        if (signal.aborted) return reject(signal.reason as Error);
        if (code === 0) return resolve();
        const how = endedBy ? `was ended by ${endedBy}` : `ended with ${code}`;
        const last = words.trim().split("\n").at(-1);
        return reject(new OperatorError("failed", `${program} ${how}${last ? `: ${last}` : ""}`));
      }),
    );
  });
}
