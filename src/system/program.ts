import { spawn } from "node:child_process";
import { access, constants as fsConstants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { errorCode, OperatorError } from "./errors.ts";
import { exitCodeOf, explainStart, missingProgram } from "./explain-start.ts";

export interface ProgramResult {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Given a program and its arguments, run it without a shell and without input, and return its exit code (128 + n when signal n ended it) and output.
 * `environment` is all that it gets of variables; absent: those of lcops, secrets too, for what an operator has configured.
 * Throws `missing` where there is no such program, `failed` where it cannot be started and past `timeoutMs`, and the signal's reason when it is aborted.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: { environment?: NodeJS.ProcessEnv; signal?: AbortSignal; timeoutMs?: number } = {},
): Promise<ProgramResult> {
  const result = await execa(program, args, {
    reject: false,
    stdin: "ignore",
    stripFinalNewline: false,
    ...(options.environment && { env: options.environment, extendEnv: false }),
    ...(options.signal && { cancelSignal: options.signal }),
    timeout: options.timeoutMs ?? 10_000,
  });
  options.signal?.throwIfAborted();
  if (errorCode(result) === "ENOENT" || errorCode(result.cause) === "ENOENT")
    throw missingProgram(program);
  if (result.timedOut) {
    throw new OperatorError(
      "failed",
      `${program} did not end within ${(options.timeoutMs ?? 10_000) / 1000} s`,
    );
  }
  if (result.exitCode === undefined && result.signal === undefined)
    throw new OperatorError("failed", `cannot start ${program}: ${result.shortMessage}`);
  const code = exitCodeOf(result.exitCode ?? null, result.signal ?? null);
  return { code, stdout: result.stdout, stderr: result.stderr };
}

/**
 * Given a program, run it on lcops' own terminal and return its exit code, 128 + n when signal n ended it, as shells do.
 * `files` are descriptors that it gets as its descriptors 3, 4, …; `environment` is all that it gets of variables.
 * When the signal is aborted the program gets SIGTERM, with `ownGroup` its children too, and its code is still returned. Throws `missing`.
 */
export function runInForeground(
  program: string,
  args: readonly string[],
  options: {
    signal: AbortSignal;
    environment: NodeJS.ProcessEnv;
    files?: readonly number[];
    ownGroup?: boolean;
  },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ["inherit", "inherit", "inherit", ...(options.files ?? [])],
      env: options.environment,
      detached: options.ownGroup,
    });
    // Where it has a group of its own, its children go with it.
    const stop = (): void => {
      if (!options.ownGroup || child.pid === undefined) child.kill("SIGTERM");
      else if (child.exitCode === null) process.kill(-child.pid, "SIGTERM");
    };
    options.signal.addEventListener("abort", stop);
    if (options.signal.aborted) stop();
    child.on("error", (error) => {
      options.signal.removeEventListener("abort", stop);
      reject(explainStart(program, error));
    });
    child.on("exit", (code, signal) => {
      options.signal.removeEventListener("abort", stop);
      resolve(exitCodeOf(code, signal));
    });
  });
}

/**
 * Given a program that goes on when lcops has ended, start it in a session of its own, away from the terminal, and return the first
 * line that it says on its standard output; empty where it ended without one. `environment` is all that it gets of variables. Throws
 * `failed` past `timeoutMs`.
 */
export function startDetached(
  program: string,
  args: readonly string[],
  options: { environment: NodeJS.ProcessEnv; timeoutMs: number },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      detached: true,
      cwd: "/",
      stdio: ["ignore", "pipe", "ignore"],
      env: options.environment,
    });
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      child.stdout.destroy();
      child.unref();
      act();
    };
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      settle(() => reject(new OperatorError("failed", `${program} did not start in time`)));
    }, options.timeoutMs);
    child.once("error", (error) => settle(() => reject(error)));
    child.once("close", () => settle(() => resolve("")));
    // A line is short enough to come in one piece.
    child.stdout.once("data", (said: Buffer) =>
      settle(() => resolve(said.toString().split("\n")[0] ?? "")),
    );
  });
}

/** Given names of programs in order of preference, return the path of the first one on `searchPath` (as in $PATH), or undefined. */
export async function findProgram(
  names: readonly string[],
  searchPath: string,
): Promise<string | undefined> {
  for (const name of names) {
    for (const folder of searchPath.split(delimiter).filter(Boolean)) {
      const candidate = join(folder, name);
      const found = await access(candidate, fsConstants.X_OK).then(
        () => true,
        () => false,
      );
      if (found) return candidate;
    }
  }
  return undefined;
}
