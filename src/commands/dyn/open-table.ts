import type { ScopeWishes } from "../../inventory/plan-scopes.ts";
import type { Table } from "../../services/dynamodb/describe-table.ts";
import { OperatorError } from "../../system/errors.ts";
import type { Context } from "../command.ts";
import { type TablePlace, withPlaces } from "./table-places.ts";

export interface OpenTable extends TablePlace {
  table: Table;
}

/** Returns the wishes of a command that needs an environment: that of `--env`, else the default one. */
export async function narrowWishes(
  context: Pick<Context, "environmentFlag" | "config" | "scopeWishes">,
): Promise<ScopeWishes> {
  const environment = context.environmentFlag ?? (await context.config()).defaultEnvironment;
  return { ...context.scopeWishes, ...(environment !== undefined && { environment }) };
}

/** Given the name of a table, find it in the regions of the environment and call `use` with it. Throws `usage` where it is in none, or in several. */
export async function withTable<T>(
  context: Context,
  name: string,
  use: (open: OpenTable) => Promise<T>,
): Promise<T> {
  return withPlaces(context, await narrowWishes(context), async (places) => {
    const found = (await Promise.all(places.map((place) => lookFor(place, name)))).flat();
    const [only] = found;
    const where = places.map(({ scope }) => scope.region).join(", ");
    if (!only) {
      throw new OperatorError("usage", `there is no table ${name} in ${where}`, {
        next: "see lcops dyn tables, or choose with --env and --region",
      });
    }
    if (found.length > 1) {
      const regions = found.map(({ scope }) => scope.region).join(", ");
      throw new OperatorError("usage", `there is a table ${name} in each of ${regions}`, {
        next: "choose with --region",
      });
    }
    return use(only);
  });
}

async function lookFor(place: TablePlace, name: string): Promise<OpenTable[]> {
  const { describeTable } = await import("../../services/dynamodb/describe-table.ts");
  try {
    return [{ ...place, table: await describeTable(place.dynamoDb, name) }];
  } catch (error) {
    if (error instanceof OperatorError && error.kind === "usage") return [];
    throw error;
  }
}

/** Where a row came from, as its file and the journal know it. */
interface Origin {
  table: string;
  arn: string;
  account: string;
  region: string;
  endpoint?: string;
}

/**
 * Given where a row came from, call `use` with that very table. Throws `refused` where the configuration, or what the command line
 * chooses, leads to another account, endpoint or table.
 */
export async function withOrigin<T>(
  context: Context,
  origin: Origin,
  use: (open: OpenTable) => Promise<T>,
): Promise<T> {
  const { environmentFlag, scopeWishes } = context;
  const wishes: ScopeWishes = {
    ...scopeWishes,
    region: scopeWishes.region ?? origin.region,
    ...(environmentFlag !== undefined && { environment: environmentFlag }),
  };
  const config = await context.config();
  const owners = Object.entries(config.environments ?? {}).flatMap(([name, { aws }]) =>
    aws?.account === origin.account ? [name] : [],
  );
  const [owner] = owners;
  const narrowed =
    wishes.environment === undefined && owner !== undefined
      ? { ...wishes, environment: owner }
      : wishes;
  return withPlaces(context, narrowed, async (places) => {
    const refuse = (why: string): never => {
      throw new OperatorError(
        "refused",
        `the row is of ${origin.table} in ${origin.region} of account ${origin.account}, ${why}`,
        {
          next: "nothing was done; choose with --env, --profile and --region",
        },
      );
    };
    const place =
      places.find(
        ({ account, scope }) => account === origin.account && scope.region === origin.region,
      ) ?? refuse("and that is not where this leads");
    const { describeTable } = await import("../../services/dynamodb/describe-table.ts");
    const table = await describeTable(place.dynamoDb, origin.table);
    if (table.arn !== origin.arn) refuse(`and the table is ${table.arn} here`);
    const endpoint = place.dynamoDb.endpoint();
    if (endpoint !== origin.endpoint)
      refuse(`at ${origin.endpoint ?? "AWS"}, and this is ${endpoint ?? "AWS"}`);
    return use({ ...place, table });
  });
}
