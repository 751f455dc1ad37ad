import { once } from "node:events";
import { foldNames } from "../../fleet/fold-names.ts";
import { foldResults } from "../../fleet/fold-results.ts";
import type { LoggedOutput } from "../../fleet/output-log.ts";
import { readExcerpt } from "../../fleet/read-excerpt.ts";
import type { HostResult } from "../../fleet/run-on-hosts.ts";
import { printable } from "../../system/printable.ts";
import { describeBytes } from "../../system/quantities.ts";
import type { Terminal } from "../../terminal/terminal.ts";

/** Of each output at most so much. */
const SHOWN_BYTES = 1024 * 1024;
/** In JSON a byte may become six, and each host has its own. */
const SHOWN_IN_EVENT_BYTES = 128 * 1024;

/** Given the results of a command, print them folded: what hosts say alike once, under their names; errors on stderr. */
export async function showResults(
  results: readonly HostResult[],
  terminal: Terminal,
): Promise<void> {
  for (const { hosts, result } of foldResults(results)) {
    const count = hosts.length > 1 ? ` (${hosts.length})` : "";
    const names = printable(`${foldNames(hosts)}${count}`);
    const { state, stdout, stderr } = result;
    if (stdout?.bytes) {
      terminal.print(`${terminal.out.bold(names)}:`);
      await printOutput(stdout, terminal);
    }
    if (stderr?.bytes) await warnOfOutput(stderr, names, terminal);
    if (state !== "done")
      terminal.warn(terminal.err.red(`${names}: ${printable(describeEnd(result))}`));
    else if (!stdout?.bytes && !stderr?.bytes) terminal.note(`${names}: done, nothing said`);
  }
}

/** How a command that is not done has ended, not yet printable. Pure. */
function describeEnd({ state, code, signal, why = "" }: HostResult): string {
  if (code !== undefined) return `ended with ${code}`;
  if (signal !== undefined) return `ended by ${signal}`;
  if (state === "untried") return "not tried";
  return state === "unreached"
    ? `not reached, nothing was run: ${why}`
    : `how it ended is not known, it may be running still: ${why}`;
}

/** On a screen nothing that could steer it; in a pipe the bytes as they are. */
async function printOutput(output: LoggedOutput, terminal: Terminal): Promise<void> {
  const { head, tail, cutBytes } = await readExcerpt(output, SHOWN_BYTES);
  for (const [part, isCut] of [
    [head, cutBytes > 0],
    [tail, false],
  ] as const) {
    if (terminal.isScreen) for (const line of linesOf(part)) terminal.print(line);
    else if (part.length > 0) {
      terminal.stdout.write(part);
      if (part.at(-1) !== LINE_END) terminal.stdout.write("\n");
    }
    if (isCut) terminal.warn(describeCut(cutBytes, output));
    await drained(terminal.stdout);
  }
}

async function warnOfOutput(
  output: LoggedOutput,
  names: string,
  terminal: Terminal,
): Promise<void> {
  const { head, tail, cutBytes } = await readExcerpt(output, SHOWN_BYTES);
  for (const line of linesOf(head)) terminal.warn(`${names}: ${line}`);
  if (cutBytes > 0) terminal.warn(`${names}: ${describeCut(cutBytes, output)}`);
  for (const line of linesOf(tail)) terminal.warn(`${names}: ${line}`);
  await drained(terminal.stderr);
}

const LINE_END = 0x0a;

function linesOf(part: Buffer): string[] {
  const lines = part.toString().split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => line.replace(/\r$/, "").split("\t").map(printable).join("\t"));
}

function describeCut(cutBytes: number, { path }: LoggedOutput): string {
  return `… ${describeBytes(cutBytes)} are left out here; all of it is in ${path}`;
}

/** Outputs of many hosts must not pile up before a slow reader; one that is gone is not waited for. */
async function drained(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableNeedDrain) await once(stream, "drain").catch(() => undefined);
}

/** Given the result of a host, print it as an event of `--json`. */
export async function printResult(result: HostResult, terminal: Terminal): Promise<void> {
  const { host, state, code = null, signal = null, why = null, tookMs, stdout, stderr } = result;
  terminal.printEvent({
    event: "host",
    host,
    state,
    code,
    signal,
    why,
    tookMs,
    stdout: await describeOutput(stdout),
    stderr: await describeOutput(stderr),
  });
  await drained(terminal.stdout);
}

/** What is shown of it as text, and where all of it is; null where the command was not begun. */
async function describeOutput(output: LoggedOutput | undefined): Promise<object | null> {
  if (!output) return null;
  const { head, tail, cutBytes } = await readExcerpt(output, SHOWN_IN_EVENT_BYTES);
  const { path: log, bytes } = output;
  return {
    bytes,
    log,
    text: head.toString(),
    ...(cutBytes > 0 && { cutBytes, end: tail.toString() }),
  };
}
