import type { Identity } from "../../aws/identify-account.ts";
import type { Config } from "../../config/schema.ts";
import type { EnvironmentScope, ScopeWishes } from "../../inventory/plan-scopes.ts";
import type { DynamoDb } from "../../services/dynamodb/connect-dynamodb.ts";
import type { Table } from "../../services/dynamodb/describe-table.ts";
import { OperatorError } from "../../system/errors.ts";
import type { Context } from "../command.ts";

/** DynamoDB of one account and region, and whose it is. */
export interface TablePlace {
  dynamoDb: DynamoDb;
  scope: EnvironmentScope;
  account: string;
  isProduction: boolean;
}

export interface OpenTable extends TablePlace {
  table: Table;
}

/**
 * Given the wishes of the command line, connect to DynamoDB in each place that they leave; `use` is called with them, and they are closed
 * behind it. Throws `refused` where a profile belongs to another account than the configuration says, before anything else is asked.
 */
export async function withPlaces<T>(
  context: Context,
  wishes: ScopeWishes,
  use: (places: readonly TablePlace[]) => Promise<T>,
): Promise<T> {
  const { planScopes } = await import("../../inventory/plan-scopes.ts");
  const { connectDynamoDb } = await import("../../services/dynamodb/connect-dynamodb.ts");
  const config = await context.config();
  const scopes = planScopes(config, wishes);
  if (scopes.length === 0) {
    throw new OperatorError("usage", "no environment says how AWS is reached, or in which region", {
      next: "give one a section aws with regions, or choose with --env and --region",
    });
  }
  const identities = await identifyAll(scopes, context);
  const access = { environment: context.environment, signal: context.signal };
  const places = await Promise.all(
    scopes.map(async (scope, index): Promise<TablePlace> => {
      const account = identities[index]?.account ?? "";
      return {
        dynamoDb: await connectDynamoDb(scope, access),
        scope,
        account,
        isProduction: isGuarded(config, scope, account, wishes),
      };
    }),
  );
  try {
    return await use(places);
  } finally {
    for (const { dynamoDb } of places) dynamoDb.close();
  }
}

/** Each profile once, whatever its regions. */
async function identifyAll(
  scopes: readonly EnvironmentScope[],
  context: Context,
): Promise<Identity[]> {
  const { identifyAccount } = await import("../../aws/identify-account.ts");
  const { refuseOtherAccount } = await import("../../aws/refuse-other-account.ts");
  const asked = new Map<string | undefined, Promise<Identity>>();
  return Promise.all(
    scopes.map(async (scope) => {
      const known =
        asked.get(scope.profile) ??
        identifyAccount(scope, { environment: context.environment, signal: context.signal });
      asked.set(scope.profile, known);
      const identity = await known;
      refuseOtherAccount(scope, identity);
      return identity;
    }),
  );
}

/** By account: every environment that has it must be marked as none of production. */
function isGuarded(
  config: Config,
  scope: EnvironmentScope,
  account: string,
  wishes: ScopeWishes,
): boolean {
  const owners = Object.entries(config.environments ?? {}).filter(([name, { aws }]) => {
    if (aws?.account !== undefined) return aws.account === account;
    // One that names no account has that of its own profile, and of no other.
    return wishes.profile === undefined && scope.environments.includes(name);
  });
  return owners.length === 0 || owners.some(([, { production }]) => production !== false);
}

/** The environment of a command that needs one: `--env`, else the default. */
async function narrowWishes(context: Context): Promise<ScopeWishes> {
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
