import { StopSignal } from "./exit-code-of.ts";

export interface Signals {
  /** Fired by SIGINT, SIGTERM and SIGHUP. */
  signal: AbortSignal;
  /** While the work runs, Ctrl-C belongs to the program on the terminal; `onSigint` is told of it. */
  leaveSigintTo: <T>(work: () => Promise<T>, onSigint?: () => void) => Promise<T>;
  /** While the work runs a signal ends it by its abort signal alone, however long that takes: it must not be left half done. */
  finishFirst: <T>(work: () => Promise<T>) => Promise<T>;
  /** Whether the terminal sends Ctrl-C to a child as well; without one, the child has to be told. */
  hasTerminal: boolean;
}

interface Watch {
  controller: AbortController;
  /** Set while Ctrl-C is not for this command line. */
  onSigint: (() => void) | undefined;
  /** What is not to be left half done runs. */
  isFinishing: boolean;
}

/** The commands that run within each other, the menu's entry last: Ctrl-C is for the last, SIGTERM for all. */
const watches: Watch[] = [];

/** After a signal the process has this long to clean up; the second signal ends it at once. Neither while it must finish something first. */
const CLEAN_UP_MS = 5_000;

/** Given work that ends by a signal, do it with the signals that stop this command line. */
export async function withSignals<T>(work: (signals: Signals) => Promise<T>): Promise<T> {
  if (watches.length === 0) listen();
  const watch: Watch = {
    controller: new AbortController(),
    onSigint: undefined,
    isFinishing: false,
  };
  watches.push(watch);
  try {
    return await work({
      signal: watch.controller.signal,
      get hasTerminal() {
        return isTerminal();
      },
      finishFirst: async (wholeWork) => {
        watch.isFinishing = true;
        try {
          return await wholeWork();
        } finally {
          watch.isFinishing = false;
        }
      },
      leaveSigintTo: async (childsWork, onSigint = () => {}) => {
        // Without a terminal nobody else has got the signal: then it stops lcops, and lcops its child.
        watch.onSigint = isTerminal() ? onSigint : undefined;
        try {
          return await childsWork();
        } finally {
          watch.onSigint = undefined;
        }
      },
    });
  } finally {
    watches.pop();
  }
}

/** Not process.stdin, which is opened by being looked at; and loaded when it matters, a start in a pipe needs it for nothing else. */
function isTerminal(): boolean {
  return process.getBuiltinModule("node:tty").isatty(0);
}

let isListening = false;

function listen(): void {
  if (isListening) return;
  isListening = true;
  process.on("SIGINT", () => {
    const last = watches.at(-1);
    if (last?.onSigint) last.onSigint();
    else if (last) stop([last], "SIGINT");
  });
  process.on("SIGTERM", () => stop(watches, "SIGTERM"));
  process.on("SIGHUP", () => stop(watches, "SIGTERM"));
}

function stop(stopped: readonly Watch[], name: "SIGINT" | "SIGTERM"): void {
  const reason = new StopSignal(name);
  if (stopped.some(({ controller }) => controller.signal.aborted)) {
    if (watches.some(({ isFinishing }) => isFinishing)) return;
    process.exit(reason.exitCode);
  }
  for (const { controller } of stopped.toReversed()) controller.abort(reason);
  const endLate = (): void => {
    // The menu goes on without the entry that was stopped; what does not end is ended.
    if (!stopped.some((watch) => watches.includes(watch))) return;
    if (!watches.some(({ isFinishing }) => isFinishing)) process.exit(reason.exitCode);
    setTimeout(endLate, CLEAN_UP_MS).unref();
  };
  setTimeout(endLate, CLEAN_UP_MS).unref();
}
