import type { Identity } from "../../aws/identify-account.ts";
import type { Config } from "../../config/schema.ts";
import type { EnvironmentScope, ScopeWishes } from "../../inventory/plan-scopes.ts";
import type { DynamoDb } from "../../services/dynamodb/connect-dynamodb.ts";
import { OperatorError } from "../../system/errors.ts";
import type { Context } from "../command.ts";

/** DynamoDB of one account and region, and whose it is. */
export interface TablePlace {
  dynamoDb: DynamoDb;
  scope: EnvironmentScope;
  account: string;
  isProduction: boolean;
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

/** Returns whether an account is guarded as production: every environment that has it must be marked otherwise. Pure. */
export function isGuarded(
  config: Config,
  scope: Pick<EnvironmentScope, "environments">,
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
