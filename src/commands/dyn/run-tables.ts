import type { Table } from "../../services/dynamodb/describe-table.ts";
import { describeError, OperatorError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import type { Context, Input } from "../command.ts";
import { type TablePlace, withPlaces } from "./table-places.ts";
import { formatBytes } from "./format-bytes.ts";

interface Listed {
  region: string;
  account: string;
  table: Table;
}

/** Given what was typed, do what `lcops dyn tables` says and return the exit code. */
export async function runTables(_input: Input, context: Context): Promise<number> {
  const { startProgress } = await import("../../terminal/progress.ts");
  const progress = startProgress(context.terminal);
  progress.update("asking DynamoDB for its tables");
  return withPlaces(context, context.scopeWishes, async (places) => {
    const answers = await Promise.all(places.map((place) => listPlace(place, context)));
    progress.end();
    for (const { gap } of answers) {
      if (gap)
        context.terminal.warn(
          `lcops: ${printable(gap.message)}; its tables are missing; ${gap.next ?? "try again"}`,
        );
    }
    const hasGap = answers.some(({ gap }) => gap);
    const listed = removeTwins(answers.flatMap(({ found }) => found));
    if (hasGap && listed.length === 0) return 1;
    await render(listed, context);
    return hasGap ? 3 : 0;
  }).finally(progress.end);
}

async function listPlace(
  place: TablePlace,
  context: Context,
): Promise<{ found: Listed[]; gap?: OperatorError }> {
  const { describeTable, listTables } = await import("../../services/dynamodb/describe-table.ts");
  const { dynamoDb, scope, account } = place;
  try {
    const found: Listed[] = [];
    for (const name of await listTables(dynamoDb)) {
      found.push({ region: scope.region, account, table: await describeTable(dynamoDb, name) });
    }
    return { found };
  } catch (error) {
    context.signal.throwIfAborted();
    const gap =
      error instanceof OperatorError
        ? error
        : new OperatorError("failed", describeError(error), { cause: error });
    return { found: [], gap };
  }
}

/** Environments may share an account. */
function removeTwins(listed: readonly Listed[]): Listed[] {
  const byKey = new Map(
    listed.map((each) => [`${each.account} ${each.region} ${each.table.name}`, each]),
  );
  return [...byKey.values()];
}

async function render(listed: readonly Listed[], { terminal }: Context): Promise<void> {
  if (terminal.flags.json) {
    terminal.printJson(
      listed.map(({ table, ...place }) => ({
        ...place,
        ...table,
        provisioned: table.provisioned ?? null,
      })),
    );
    return;
  }
  const { printTable } = await import("../../terminal/table.ts");
  printTable(terminal, listed, [
    { title: "TABLE", value: ({ table }) => table.name },
    { title: "REGION", value: ({ region }) => region },
    { title: "ITEMS", value: ({ table }) => `${table.items}` },
    { title: "SIZE", value: ({ table }) => formatBytes(table.bytes) },
    { title: "CAPACITY", value: ({ table }) => describeMode(table) },
    {
      title: "KEY",
      value: ({ table }) => table.key.map(({ name, type }) => `${name} (${type})`).join(", "),
    },
    { title: "INDEXES", value: ({ table }) => table.indexes.map(({ name }) => name).join(", ") },
    { title: "STATE", value: ({ table }) => table.status },
  ]);
}

function describeMode({ provisioned }: Table): string {
  return provisioned ? `${provisioned.read} read, ${provisioned.write} write` : "on demand";
}
