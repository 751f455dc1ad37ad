import type { DumpProgress } from "../../services/dynamodb/dump-table.ts";
import type { DumpManifest, ItemFormat } from "../../services/dynamodb/dump-manifest.ts";
import { OperatorError } from "../../system/errors.ts";
import { escapeInJson } from "../../terminal/terminal.ts";
import { keepMemoryFlat } from "../../system/keep-memory-flat.ts";
import type { Context, Input } from "../command.ts";
import { countOf, describeBytes } from "../../system/quantities.ts";
import { type OpenTable, withTable } from "./open-table.ts";
import { readOutputPath } from "./output-path.ts";
import { tellEvents } from "./tell-events.ts";

/** Given what was typed, do what `lcops dyn dump-table` says and return the exit code. */
export async function runDumpTable(input: Input, context: Context): Promise<number> {
  keepMemoryFlat();
  const itemFormat = readFormat(input);
  const [name = ""] = input.operands;
  const output = input.options["output"] ?? `${name}.json`;
  const path = await readOutputPath(output);
  if (path === "-" && input.options["resume"] === true)
    throw new OperatorError("usage", "what goes to stdout cannot be resumed");
  return withTable(context, name, (open) =>
    dump(open, input, context, { output: output as string, path, itemFormat }),
  );
}

function readFormat({ options }: Input): ItemFormat {
  const format = options["format"] ?? "dynamodb";
  if (format === "dynamodb" || format === "plain") return format;
  throw new OperatorError("usage", `--format: there is no ${JSON.stringify(format)}`, {
    next: "choose dynamodb or plain",
  });
}

async function dump(
  open: OpenTable,
  input: Input,
  context: Context,
  { output, path, itemFormat }: { output: string; path: string; itemFormat: ItemFormat },
): Promise<number> {
  const { planDump, planPageLimit, planReadUnits } =
    await import("../../services/dynamodb/plan-dump.ts");
  const { dumpTable, streamTable } = await import("../../services/dynamodb/dump-table.ts");
  const { makePacer } = await import("../../services/dynamodb/make-pacer.ts");
  const { startProgress } = await import("../../terminal/progress.ts");
  const { table, dynamoDb, account, scope } = open;
  const wish = input.options["maxRcu"];
  const units = planReadUnits(typeof wish === "string" ? wish : undefined, table);
  const limit = planPageLimit(units, table);
  const plan = planDump(table, { account, region: scope.region, path, itemFormat });
  const progress = startProgress(context.terminal);
  const events = tellEvents(context.terminal);
  const began = performance.now();
  const options = {
    pacer: makePacer(units),
    ...(limit !== undefined && { limit }),
    resume: input.options["resume"] === true,
    onProgress: (now: DumpProgress) => {
      progress.update(describeProgress(now, table.items, (performance.now() - began) / 1000));
      if (path !== "-") events.progress(now);
    },
  };
  try {
    if (path === "-") {
      await streamTable(dynamoDb, plan, openSink(context), options);
      return 0;
    }
    events.begin({ table: table.name, file: output, expectedItems: table.items });
    const manifest = await dumpTable(dynamoDb, plan, options);
    progress.end();
    events.end({ file: output, ...manifest });
    tellResult(manifest, output, context);
    return 0;
  } finally {
    progress.end();
  }
}

/** A screen gets nothing that would steer it; a pipe gets the bytes. */
function openSink({ terminal }: Context): Pick<NodeJS.WritableStream, "write"> {
  const { stdout, isScreen } = terminal;
  if (!isScreen) return stdout;
  const write = (bytes: Uint8Array | string, done?: (error?: Error | null) => void): boolean =>
    stdout.write(escapeInJson(Buffer.from(bytes).toString()), done);
  return { write: write as NodeJS.WritableStream["write"] };
}

/** The table's own count is up to six hours old, so the rest is an estimate. */
function describeProgress(now: DumpProgress, expected: number, seconds: number): string {
  const rate = (now.items - now.resumedItems) / Math.max(seconds, 0.001);
  const left = expected > now.items && rate > 0 ? (expected - now.items) / rate : undefined;
  return [
    countOf(now.items, "item"),
    describeBytes(now.bytes, 1024),
    `${Math.round(rate)} items/s`,
    ...(expected > 0 ? [`≈ ${Math.min(99, Math.round((now.items / expected) * 100))} %`] : []),
    ...(left === undefined ? [] : [`≈ ${Math.ceil(left)} s left`]),
    ...(now.throttles > 0 ? [`${now.throttles} throttled`] : []),
  ].join(", ");
}

function tellResult(manifest: DumpManifest, output: string, { terminal }: Context): void {
  if (terminal.flags.json) return;
  const { items, itemBytes, consumedUnits, table, resumed } = manifest;
  const more = resumed > 0 ? `, resumed ${countOf(resumed, "time")}` : "";
  terminal.note(
    `${table.name}: ${countOf(items, "item")}, ${describeBytes(itemBytes, 1024)}, ${countOf(consumedUnits, "read unit")}${more} → ${output}`,
  );
}
