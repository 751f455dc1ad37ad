/** Starting the parts of the lab, each once, and saying what it waits for and what failed. */
import { readFileSync } from "node:fs";
import type { LabContext } from "./process.ts";

const TAIL_LINES = 15;

/** Takes log files; returns the last lines of each, below its name. */
function readTails(logFiles: readonly string[]): string {
  const tails = logFiles.map((file) => {
    const lines = readFileSync(file, "utf8").trim().split("\n").slice(-TAIL_LINES);
    return [`end of ${file}:`, ...lines.map((line) => `  ${line}`)].join("\n");
  });
  return tails.join("\n");
}

const WAIT_NOTICE_MS = 10_000;

/** The members of the lab that a starter uses. */
type Waiting = Pick<LabContext, "log" | "logFiles">;

type Starter<Lab> = <T>(what: string, start: (lab: Lab) => Promise<T>) => () => Promise<T>;

/**
 * Takes the lab; returns what makes a starter: it starts something at its first call, says every ten seconds what the lab
 * still waits for, and fails with the part's name and the end of the logs of its servers.
 */
export function makeStarter<Lab extends Waiting>(lab: Lab): Starter<Lab> {
  const waiting = new Map<string, number>();
  const notice = (): void => {
    const now = performance.now();
    const late = [...waiting].map(
      ([what, since]) => `${what} (${Math.round((now - since) / 1_000)} s)`,
    );
    lab.log(`lab: waiting for ${late.join(", ")}`);
  };
  let timer: NodeJS.Timeout | undefined;
  return (what, start) => {
    const begin = async () => {
      const logFiles: string[] = [];
      waiting.set(what, performance.now());
      timer ??= setInterval(notice, WAIT_NOTICE_MS);
      try {
        return await start({ ...lab, logFiles });
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(`lab: ${what} did not start: ${reason}\n${readTails(logFiles)}`, {
          cause: error,
        });
      } finally {
        waiting.delete(what);
        if (waiting.size === 0) {
          clearInterval(timer);
          timer = undefined;
        }
      }
    };
    let started: ReturnType<typeof begin> | undefined;
    return () => (started ??= begin());
  };
}
