import { access, open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { JmeterConfig } from "../config/workstation-schema.ts";
import { writeFileAtomically } from "../system/atomic-file.ts";
import { OperatorError } from "../system/errors.ts";
import { followFile } from "../system/follow-file.ts";
import { endMarked, startMarked } from "../system/marked-program.ts";
import { findProgram } from "../system/program.ts";
import { countOf } from "../system/quantities.ts";
import { readSamples } from "./read-samples.ts";
import { PLAN_PROPERTIES } from "./run-folder.ts";
import { LoadCount, type LoadSummary } from "./summarise-load.ts";
import { formatProperties, writeFormat } from "./write-properties.ts";

const DEFAULT_MINUTES = 60;
const LOOK_AGAIN_MS = 250;
/** JMeter closes its files when it is told to end. */
const PATIENCE_MS = 3_000;
const REPORT_LIMIT_MS = 300_000;
/** Has reports; earlier ones do not know the flags. */
const REPORTS_SINCE = 3;
const READ_BYTES = 256 * 1024;

export interface JmeterRun {
  /** As its log says it; undefined where it has not come so far. */
  version: string | undefined;
  /** Where all of it is kept. */
  folder: string;
  results: string;
  log: string;
  /** The page to open; undefined where there is none. */
  report: string | undefined;
  summary: LoadSummary;
  /** Why what was measured is not the whole test; empty where it is. */
  broken: string[];
  /** Processes that could not be ended: another user's. */
  left: readonly number[];
}

export interface JmeterOptions {
  /** The program, as it is found; of the configuration nothing else is looked up. */
  program: string;
  plan: string;
  config: JmeterConfig;
  properties: Readonly<Record<string, string>>;
  mark: string;
  folder: string;
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** Told of what is done, and of what was measured so far. */
  update: (now: string | LoadSummary) => void;
}

/** Given the program and the plan of a test as configured, with ~ already resolved, return JMeter's path. Throws `missing`, and `configuration` where there is no such plan. */
export async function findJmeter(
  name: string,
  { program, plan }: { program: string; plan: string },
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  const found = program.includes("/")
    ? await findProgram([program], "/")
    : await findProgram([program], environment["PATH"] ?? "");
  if (found === undefined) {
    throw new OperatorError("missing", `JMeter is not installed: there is no program ${program}`, {
      next: `install Apache JMeter 5 and Java, or say in workstation.launches.${name}.program where it is`,
    });
  }
  await access(plan).catch((cause: unknown) => {
    throw new OperatorError("configuration", `the plan ${plan} cannot be read`, {
      next: `say in workstation.launches.${name}.plan where it is`,
      cause,
    });
  });
  return found;
}

/**
 * Run a test without JMeter's window, watch its result file, have JMeter make its own report, and return what was measured. When the signal is aborted
 * JMeter is ended and what there is so far is returned: whoever calls looks at the signal.
 */
export async function runJmeter(options: JmeterOptions): Promise<JmeterRun> {
  const { folder, config, signal, update } = options;
  const results = join(folder, "results.csv");
  const log = join(folder, "jmeter.log");
  const format = await writeFormat(folder);
  const own = join(folder, PLAN_PROPERTIES);
  // Not on the command line, which everybody on this machine can read.
  await writeFileAtomically(own, formatProperties(options.properties));
  update("JMeter starts");
  try {
    const count = new LoadCount();
    const args = ["-n", "-t", options.plan, "-l", results, "-j", log, "-q", format, "-q", own];
    let isWhole = true;
    const watch = async (ended: Promise<unknown>): Promise<void> => {
      let told = 0;
      isWhole = await readSamples(followFile(results, ended, LOOK_AGAIN_MS), (sample) => {
        count.add(sample);
        if (performance.now() - told < LOOK_AGAIN_MS) return;
        told = performance.now();
        update(count.summarise());
      });
    };
    const { code, isLate, left } = await runMarked(args, {
      ...options,
      workFolder: dirname(options.plan),
      limitMs: (config.minutes ?? DEFAULT_MINUTES) * 60_000,
      watch,
    });
    // Of what is stopped later, while the report is made, the measurement is whole.
    const isStopped = signal.aborted;
    const summary = count.summarise();
    const said = await readWords(folder, log);
    const broken = explainBreak({ code, isLate, isStopped, isWhole, summary, ...said, config });
    const report = signal.aborted || broken.length > 0 ? undefined : await makeReport();
    return { version: said.version, folder, results, log, report, summary, broken, left };

    async function makeReport(): Promise<string | undefined> {
      if (Number.parseInt(said.version ?? "", 10) < REPORTS_SINCE) return undefined;
      const page = join(folder, "report/index.html");
      update("JMeter makes its report");
      const { code: ended } = await runMarked(
        ["-g", results, "-o", dirname(page), "-j", join(folder, "report.log"), "-q", format],
        { ...options, workFolder: folder, limitMs: REPORT_LIMIT_MS },
      );
      await rm(join(folder, "report-temporary"), { recursive: true, force: true });
      const isThere = await access(page).then(
        () => true,
        () => false,
      );
      if (ended === 0 && isThere) return page;
      // Half a report would be taken for a whole one.
      await rm(dirname(page), { recursive: true, force: true });
      return undefined;
    }
  } finally {
    // It may hold a secret; the run is kept.
    await rm(own, { force: true });
  }
}

/** Returns its exit code once it and all that it has started have ended. */
async function runMarked(
  args: readonly string[],
  options: JmeterOptions & {
    workFolder: string;
    limitMs: number;
    watch?: (ended: Promise<unknown>) => Promise<void>;
  },
): Promise<{ code: number; isLate: boolean; left: readonly number[] }> {
  const { program, mark, environment, signal } = options;
  signal.throwIfAborted();
  const started = await startMarked(program, args, {
    mark,
    folder: options.workFolder,
    outputFile: join(options.folder, "output.log"),
    environment,
  });
  let isLate = false;
  const end = (): Promise<{ left: number[] }> =>
    endMarked(mark, { patienceMs: PATIENCE_MS, leader: started.pid });
  const abort = (): void => void end();
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  const timer = setTimeout(() => {
    isLate = true;
    void end();
  }, options.limitMs);
  let left: readonly number[] = [];
  let code: number;
  try {
    await options.watch?.(started.ended);
    code = await started.ended;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    // What cannot be watched is not left alone, nor what it has left behind.
    ({ left } = await end());
  }
  return { code, isLate, left };
}

/** What its log and its output say of why it could not do it, the first thing first. */
async function readWords(
  folder: string,
  log: string,
): Promise<{ version: string | undefined; errors: string[] }> {
  const [logged, said] = await Promise.all([log, join(folder, "output.log")].map(readBeginning));
  const version = /\bVersion (\d[\d.]*\d|\d)/.exec(logged ?? "")?.[1];
  const lines = (said ?? "").split("\n").map((line) => line.trim());
  const errors = lines.filter((line) => /error|exception|not found|cannot/i.test(line));
  return { version, errors };
}

/** A plan may log each of its samples; what counts is how it began. */
async function readBeginning(path: string): Promise<string> {
  const file = await open(path, "r").catch(() => undefined);
  if (!file) return "";
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(READ_BYTES), 0, READ_BYTES, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Returns why a run of JMeter is not the whole test, the first reason first; empty where it is. Pure. */
export function explainBreak(seen: {
  code: number;
  isLate: boolean;
  isStopped: boolean;
  isWhole: boolean;
  summary: LoadSummary;
  version: string | undefined;
  errors: readonly string[];
  config: Pick<JmeterConfig, "minutes">;
}): string[] {
  const { code, isLate, isStopped, isWhole, summary, version, errors, config } = seen;
  const minutes = config.minutes ?? DEFAULT_MINUTES;
  const words = errors[0] === undefined ? "" : `: ${errors[0].slice(0, 200)}`;
  const broken: string[] = isStopped ? ["stopped before its end"] : [];
  if (summary.samples === 0)
    broken.push(`JMeter ${version ?? ""} has sampled nothing${words}`.replace("  ", " "));
  if (isLate) broken.push(`it was not done within ${countOf(minutes, "minute")}`);
  else if (code > 128) broken.push(`JMeter was ended by signal ${code - 128}`);
  else if (code !== 0 && summary.samples > 0) broken.push(`JMeter ended with ${code}${words}`);
  if (!isWhole) broken.push("its result file is cut off");
  return broken;
}

/** Given what was measured and what is allowed, return what is not as it should be; empty where all is. Pure. */
export function judgeLoad(
  { samples, failed, total }: LoadSummary,
  { maxFailedPercent = 0, maxP95Ms }: Pick<JmeterConfig, "maxFailedPercent" | "maxP95Ms">,
): string[] {
  const found: string[] = [];
  const percent = samples === 0 ? 0 : (100 * failed) / samples;
  if (percent > maxFailedPercent) {
    const allowed = maxFailedPercent === 0 ? "" : `, more than ${maxFailedPercent} %`;
    found.push(`${failed} of ${samples} samples have failed${allowed}`);
  }
  if (maxP95Ms !== undefined && total.p95Ms > maxP95Ms)
    found.push(`the 95th percentile is ${total.p95Ms} ms, more than ${maxP95Ms} ms`);
  return found;
}
