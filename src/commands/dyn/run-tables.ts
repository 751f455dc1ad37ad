import pLimit from "p-limit";
import type { Table } from "../../services/dynamodb/describe-table.ts";
import { describeError, OperatorError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import type { Context, Input } from "../command.ts";
import { type TablePlace, withPlaces } from "./table-places.ts";
import { describeBytes } from "../../system/quantities.ts";

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
          `lcops: ${printable(`${gap.error.message}; ${gap.missing}`)}; ${gap.error.next ?? "try again"}`,
        );
    }
    const hasGap = answers.some(({ gap }) => gap);
    const listed = removeTwins(answers.flatMap(({ found }) => found));
    if (hasGap && listed.length === 0) return 1;
    await renderTables(listed, context);
    return hasGap ? 3 : 0;
  }).finally(progress.end);
}

/** What cannot be seen, and why. */
interface Gap {
  error: OperatorError;
  missing: string;
}

/** Each is asked about alone, so many at once. */
const ASKED_AT_ONCE = 8;

async function listPlace(
  place: TablePlace,
  context: Context,
): Promise<{ found: Listed[]; gap?: Gap }> {
  const { describeTable, listTables } = await import("../../services/dynamodb/describe-table.ts");
  const { dynamoDb, scope, account } = place;
  const explain = (error: unknown): OperatorError => {
    context.signal.throwIfAborted();
    return error instanceof OperatorError
      ? error
      : new OperatorError("failed", describeError(error), { cause: error });
  };
  const missing: { name: string; error: OperatorError }[] = [];
  const look = async (name: string): Promise<Listed[]> => {
    try {
      const table = await describeTable(dynamoDb, name);
      return [{ region: scope.region, account, table }];
    } catch (error) {
      const explained = explain(error);
      // One that was deleted since it was listed is no gap.
      if (explained.kind !== "usage") missing.push({ name, error: explained });
      return [];
    }
  };
  try {
    const limit = pLimit(ASKED_AT_ONCE);
    const found = (await limit.map(await listTables(dynamoDb), look)).flat();
    const [first] = missing;
    if (!first) return { found };
    const who =
      missing.length > 1 ? `${first.name} and ${missing.length - 1} more are` : `${first.name} is`;
    return { found, gap: { error: first.error, missing: `${who} missing` } };
  } catch (error) {
    return { found: [], gap: { error: explain(error), missing: "its tables are missing" } };
  }
}

/** Returns each table once: environments may share an account. Pure. */
export function removeTwins(listed: readonly Listed[]): Listed[] {
  const byKey = new Map(
    listed.map((each) => [`${each.account} ${each.region} ${each.table.name}`, each]),
  );
  return [...byKey.values()];
}

/** Given tables, show them as a table, or as one JSON document. */
export async function renderTables(
  listed: readonly Listed[],
  { terminal }: Pick<Context, "terminal">,
): Promise<void> {
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
    { title: "SIZE", value: ({ table }) => describeBytes(table.bytes, 1024) },
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
