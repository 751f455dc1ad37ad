import { spawn } from "node:child_process";
import { explainStart } from "./explain-start.ts";

export interface StartedServer {
  pid: number;
  /** Resolves when it has ended, should lcops live to see it. */
  ended: Promise<void>;
}

/** Given a server that goes on when lcops has ended, start it in a session of its own, deaf and dumb. `environment` is all that it gets of variables. Throws `missing`. */
export function startServer(
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<StartedServer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      detached: true,
      cwd: "/",
      stdio: "ignore",
      env: environment,
    });
    const ended = new Promise<void>((end) => child.once("exit", () => end()));
    child.once("error", (error) => reject(explainStart(program, error)));
    child.once("spawn", () => {
      child.unref();
      resolve({ pid: child.pid ?? 0, ended });
    });
  });
}
