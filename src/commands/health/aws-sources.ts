import type { AwsAccess } from "../../aws/client-options.ts";
import type { Config } from "../../config/schema.ts";
import { checkAccount } from "../../inventory/load-inventory.ts";
import {
  type EnvironmentScope,
  planScopes,
  type ScopeWishes,
} from "../../inventory/plan-scopes.ts";
import { once } from "../../system/once.ts";
import type { Reading } from "../../system/reading.ts";
import type { Context } from "../command.ts";
import type { Source } from "./source.ts";

/** All pages and retries of one question to one region. */
const LIMIT_MS = 20_000;
/** CloudWatch evaluates alarms once a minute. */
const EVERY_MS = 60_000;
/** Where Route 53 and CloudFront have their metrics, and so the alarms on them. */
const GLOBAL_REGION = "us-east-1";

type ReadAws = (scope: EnvironmentScope, access: AwsAccess) => Promise<Reading[]>;

/** Return what can be asked of AWS: alarms, EC2's own checks and load balancers region by region, Route 53's checks once an account. */
export async function awsSources(context: Context): Promise<Source[]> {
  const config = await context.config();
  const { regions, accounts } = planPlaces(config, context.scopeWishes);
  const names = once(async () => {
    const { hosts } = await context.inventory("list");
    return new Map(
      hosts.flatMap(({ instanceId, name }) => (instanceId ? [[instanceId, name]] : [])),
    );
  });
  return [
    ...alarmSources(config, context.scopeWishes, context).map(({ source }) => source),
    ...regions.flatMap((scope) => [
      makeSource("ec2", scope, context, async (of, access) => {
        const { readInstanceStatus } = await import("../../inventory/instance-status.ts");
        const known = await names().catch(() => new Map<string, string>());
        return readInstanceStatus(of, (id) => known.get(id), access);
      }),
      makeSource("balancer", scope, context, readBalancersOf),
    ]),
    ...accounts.map((scope) =>
      makeSource("dns check", scope, context, readChecksOf, scope.environments.join("+")),
    ),
  ];
}

/** Who can be asked for the alarms of a scope. */
export interface AlarmSource {
  scope: EnvironmentScope;
  source: Source;
}

/** Given the configuration and what is wished of it, return what can be asked of alarms: every region of an account, and the one of what is global. */
export function alarmSources(
  config: Config,
  wishes: ScopeWishes,
  context: Pick<Context, "environment" | "folders">,
): AlarmSource[] {
  const { regions, accounts } = planPlaces(config, wishes);
  return mergeScopes([...regions, ...accounts], ({ region }) => region).map((scope) => ({
    scope,
    source: makeSource("alarm", scope, context, readAlarmsOf),
  }));
}

/** Returns each account's regions, and the accounts themselves by the region of what is global: with `--region` that is not asked. Pure. */
export function planPlaces(
  config: Config,
  wishes: ScopeWishes,
): Record<"regions" | "accounts", EnvironmentScope[]> {
  const scopes = planScopes(config, wishes);
  const accounts = wishes.region === undefined ? mergeScopes(scopes, () => "") : [];
  return {
    regions: mergeScopes(scopes, ({ region }) => region),
    accounts: accounts.map((scope) => ({ ...scope, region: GLOBAL_REGION })),
  };
}

function makeSource(
  area: string,
  scope: EnvironmentScope,
  { environment, folders }: Pick<Context, "environment" | "folders">,
  read: ReadAws,
  name = `${scope.environments.join("+")} ${scope.region}`,
): Source {
  return {
    area,
    name,
    limitMs: LIMIT_MS,
    everyMs: EVERY_MS,
    read: async (signal) => {
      // What another account has must not pass for this one's.
      await checkAccount(scope, { cacheFolder: folders.cache, environment, signal });
      const readings = await read(scope, { environment, signal });
      return readings.map((one) => ({ ...one, name: `${name}/${one.name}` }));
    },
  };
}

/** Each account once, whatever the profiles are called that lead to it, in the order of the first ones. */
function mergeScopes(
  scopes: readonly EnvironmentScope[],
  within: (scope: EnvironmentScope) => string,
): EnvironmentScope[] {
  const merged = new Map<string, EnvironmentScope>();
  for (const scope of scopes) {
    const key = JSON.stringify([scope.account ?? [scope.profile], within(scope)]);
    const first = merged.get(key) ?? scope;
    const environments = [...new Set([...first.environments, ...scope.environments])];
    merged.set(key, { ...first, environments });
  }
  return [...merged.values()];
}

const readAlarmsOf: ReadAws = async (scope, access) => {
  const { readAlarms } = await import("../../services/cloudwatch/read-alarms.ts");
  return readAlarms(scope, access);
};

const readBalancersOf: ReadAws = async (scope, access) => {
  const { readTargets } = await import("../../services/load-balancers/read-targets.ts");
  const { readClassic } = await import("../../services/load-balancers/read-classic.ts");
  return (await Promise.all([readTargets(scope, access), readClassic(scope, access)])).flat();
};

const readChecksOf: ReadAws = async (scope, access) => {
  const { readHealthChecks } = await import("../../services/route53/read-health-checks.ts");
  return readHealthChecks(scope, access);
};
