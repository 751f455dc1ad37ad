import type { JmeterConfig } from "../../config/workstation-schema.ts";
import { OperatorError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import { countOf } from "../../system/quantities.ts";
import { startProgress } from "../../terminal/progress.ts";
import { findJmeter, judgeLoad, runJmeter } from "../../workstation/launch-jmeter.ts";
import type { LoadSummary } from "../../workstation/summarise-load.ts";
import type { Context } from "../command.ts";
import { describeLeft } from "./describe-left.ts";
import { renderLoad } from "./render-load.ts";
import { locateTest, type Launch } from "./locate-launch.ts";

/** Run a test of JMeter, print what was measured, and return the exit code: the result file decides, since JMeter ends with 0 whatever has failed. */
export async function runLoadTest(
  launch: Launch<JmeterConfig>,
  context: Pick<Context, "terminal" | "environment" | "signal" | "childEnvironment">,
): Promise<number> {
  const { name, config, mark, makeFolder } = launch;
  const { signal } = context;
  const environment = await context.childEnvironment();
  const { plan, program } = locateTest(config);
  const found = await findJmeter(name, { program, plan }, environment);
  const properties = await readProperties(config, context);
  const folder = await makeFolder();
  const progress = startProgress(context.terminal);
  const begin = performance.now();
  const run = await runJmeter({
    program: found,
    plan,
    config,
    properties,
    mark,
    folder,
    environment,
    signal,
    update: (now) => {
      const age = Math.round((performance.now() - begin) / 1_000);
      const line = typeof now === "string" ? now : describeProgress(now);
      progress.update(printable(`${name}: ${line}, ${age} s`));
    },
  }).finally(progress.end);
  const wrong = judgeLoad(run.summary, config);
  const { broken, left } = run;
  renderLoad({ name, run, broken, wrong }, context.terminal);
  if (left.length > 0) context.terminal.warn(describeLeft(name, left));
  signal.throwIfAborted();
  const next = `look into ${run.log}, and output.log beside it`;
  if (broken.length > 0)
    throw new OperatorError("failed", `${name}: ${broken.join("; ")}`, { next });
  if (wrong.length === 0) return left.length === 0 ? 0 : 3;
  context.terminal.warn(printable(`lcops: ${name}: ${wrong.join("; ")}`));
  return 4;
}

async function readProperties(
  { properties = {} }: JmeterConfig,
  { environment, signal }: Pick<Context, "environment" | "signal">,
): Promise<Record<string, string>> {
  const read: Record<string, string> = {};
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value !== "string" || !isReference(value)) {
      read[name] = String(value);
      continue;
    }
    const { readSecret } = await import("../../config/read-secret.ts");
    read[name] = await readSecret(value, { environment, signal });
  }
  return read;
}

/** As the schema tells one from text. */
const isReference = (value: string): boolean => /^\$\{(env|file|command):[^}]+\}$/.test(value);

function describeProgress({ samples, failed, perSecond, total }: LoadSummary): string {
  return `${countOf(samples, "sample")}, ${failed} failed, ${perSecond.toFixed(1)}/s, mean ${total.meanMs} ms`;
}
