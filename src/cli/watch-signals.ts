import { StopSignal } from "./exit-code-of.ts";

export interface Signals {
  /** Fired by the first SIGINT, SIGTERM or SIGHUP. */
  signal: AbortSignal;
  leaveSigintTo: <T>(work: () => Promise<T>) => Promise<T>;
}

/** After a signal the process has this long to clean up; the second signal ends it at once. */
const CLEAN_UP_MS = 5_000;

let watched: Signals | undefined;

/** Listen for the signals that stop lcops. While `leaveSigintTo` works, SIGINT is for the program on the terminal alone. One watch a process. */
export function watchSignals(): Signals {
  if (watched) return watched;
  const controller = new AbortController();
  let others = 0;
  const stop = (name: "SIGINT" | "SIGTERM"): void => {
    const reason = new StopSignal(name);
    if (controller.signal.aborted) process.exit(reason.exitCode);
    controller.abort(reason);
    setTimeout(() => process.exit(reason.exitCode), CLEAN_UP_MS).unref();
  };
  process.on("SIGINT", () => {
    if (others === 0) stop("SIGINT");
  });
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGHUP", () => stop("SIGTERM"));
  watched = {
    signal: controller.signal,
    leaveSigintTo: async (work) => {
      others++;
      try {
        return await work();
      } finally {
        others--;
      }
    },
  };
  return watched;
}
