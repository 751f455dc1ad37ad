import { stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describeError, OperatorError } from "../system/errors.ts";
import { followFile } from "../system/follow-file.ts";
import { endMarked, startMarked } from "../system/marked-program.ts";
import { findPortHolder } from "../system/port-holder.ts";
import { splitLines } from "../system/split-lines.ts";

const LOOK_AGAIN_MS = 250;
const ANSWER_LIMIT_MS = 10_000;
/** An app may have something to put away when it is told to end. */
const PATIENCE_MS = 3_500;

export interface AppOptions {
  run: readonly string[];
  /** Where it is run. */
  folder: string;
  url: string;
  /** How long its first answer is waited for. */
  limitMs: number;
  mark: string;
  /** Of this run: its log is kept there. */
  runFolder: string;
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** Given each line that it says, not yet printable. */
  take: (line: string) => void;
  /** Called once, when it has answered. */
  isUp: () => void;
  /** Given processes that could not be ended. */
  isLeft: (pids: readonly number[]) => void;
}

/**
 * Start an app, follow what it says until it ends, and return its exit code; what it has started was ended then, as far as this user may. Throws `refused` where its address
 * answers before, `configuration` where its folder is missing, `failed` where it ends or its time is over before it answers, and the signal's reason.
 */
export async function runApp(options: AppOptions): Promise<number> {
  const { run, folder, url, mark, signal } = options;
  await stat(folder).catch((cause: unknown) => {
    throw new OperatorError("configuration", `there is no folder ${folder} to run it in`, {
      cause,
    });
  });
  await refuseOther(url, signal);
  const output = join(options.runFolder, "output.log");
  const [program = "", ...args] = run;
  const started = await startMarked(program, args, {
    mark,
    folder,
    outputFile: output,
    environment: options.environment,
  });
  const end = () => endMarked(mark, { patienceMs: PATIENCE_MS, leader: started.pid });
  const abort = (): void => void end();
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  const following = follow(output, started.ended, options.take);
  try {
    await awaitAnswer(started.ended, options);
    options.isUp();
    return await started.ended;
  } finally {
    signal.removeEventListener("abort", abort);
    const { left } = await end();
    if (left.length > 0) options.isLeft(left);
    await following;
    signal.throwIfAborted();
  }
}

async function follow(
  file: string,
  ended: Promise<unknown>,
  take: (line: string) => void,
): Promise<void> {
  for await (const line of splitLines(followFile(file, ended, LOOK_AGAIN_MS))) take(line);
}

/** What answers there already would be taken for the app. */
async function refuseOther(url: string, signal: AbortSignal): Promise<void> {
  const seen = await ask(url, signal);
  if (seen.status === undefined) return;
  const { port, protocol } = new URL(url);
  const number = Number(port) || (protocol === "https:" ? 443 : 80);
  const holder = await findPortHolder(number);
  const who = holder === undefined ? "" : `: ${holder.program}, process ${holder.pid}`;
  throw new OperatorError("refused", `${url} answers already${who}`, {
    next: "end that first, or use it as it is",
  });
}

async function awaitAnswer(
  ended: Promise<number>,
  { url, limitMs, run, signal }: AppOptions,
): Promise<void> {
  const limit = performance.now() + limitMs;
  let code: number | undefined;
  void ended.then((given) => (code = given));
  for (;;) {
    const seen = await ask(url, signal);
    signal.throwIfAborted();
    // One that cannot do its work yet, or no more, is not up.
    if (seen.status !== undefined && seen.status < 500) return;
    if (code !== undefined)
      throw new OperatorError("failed", `${run[0]} ended with ${code} before ${url} answered`);
    if (performance.now() > limit) {
      const why = seen.status === undefined ? seen.why : `it says ${seen.status}`;
      throw new OperatorError(
        "failed",
        `${url} has not answered within ${limitMs / 1_000} s: ${why}; ${run[0]} was stopped`,
      );
    }
    await Promise.race([ended, wait(LOOK_AGAIN_MS)]);
  }
}

async function ask(
  url: string,
  signal: AbortSignal,
): Promise<{ status: number; why?: undefined } | { status?: undefined; why: string }> {
  try {
    const answer = await fetch(url, {
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_LIMIT_MS)]),
    });
    await answer.body?.cancel();
    return { status: answer.status };
  } catch (error) {
    // fetch tells what happened by the cause alone.
    return { why: describeError(error instanceof Error && error.cause ? error.cause : error) };
  }
}
