import {
  GetHealthCheckStatusCommand,
  type HealthCheck,
  type HealthCheckObservation,
  ListTagsForResourcesCommand,
  paginateListHealthChecks,
  Route53Client,
} from "@aws-sdk/client-route-53";
import { askAws } from "../../aws/ask-aws.ts";
import type { AwsScope } from "../../aws/aws-scope.ts";
import type { AwsAccess } from "../../aws/client-options.ts";
import type { HealthState, Reading } from "../../system/reading.ts";

/** More resources a call are refused (Route 53 API Reference, ListTagsForResources). */
const NAMES_AT_ONCE = 10;
/** The share of checkers that must see an endpoint well: Route 53 Developer Guide, "How Route 53 determines whether a health check is healthy". */
const HEALTHY_SHARE = 0.18;

/** Given an account (its scope's region does not matter), return how each health check of Route 53 is. Throws what `explainAwsError` makes of an answer. */
export async function readHealthChecks(scope: AwsScope, access: AwsAccess): Promise<Reading[]> {
  return askAws(
    Route53Client,
    "ROUTE_53",
    "route53:ListHealthChecks",
    [scope, access],
    async ({ client, abortSignal, begin, guard }) => {
      const checks: HealthCheck[] = [];
      const pages = paginateListHealthChecks({ client }, {}, { abortSignal });
      for await (const page of guard(pages, ({ NextMarker }) => NextMarker))
        checks.push(...(page.HealthChecks ?? []));
      const names = await readNames(client, checks, abortSignal);
      begin("route53:GetHealthCheckStatus");
      const readings: Reading[] = [];
      for (const check of checks) {
        const name = names.get(check.Id ?? "") ?? describe(check);
        if (isObserved(check)) {
          const command = new GetHealthCheckStatusCommand({ HealthCheckId: check.Id });
          const { HealthCheckObservations = [] } = await client.send(command, { abortSignal });
          readings.push(judgeCheck(name, check, HealthCheckObservations));
        } else {
          const { readStatusMetric } = await import("./read-status-metric.ts");
          readings.push(
            judgeMetric(name, check, await readStatusMetric(check.Id ?? "", scope, access)),
          );
        }
      }
      return readings;
    },
  );
}

/** People know them by their tag Name; without the right to read tags, by what they look at. */
async function readNames(
  client: Route53Client,
  checks: readonly HealthCheck[],
  abortSignal: AbortSignal,
): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  for (let from = 0; from < checks.length; from += NAMES_AT_ONCE) {
    const ids = checks.slice(from, from + NAMES_AT_ONCE).flatMap(({ Id }) => Id ?? []);
    const command = new ListTagsForResourcesCommand({
      ResourceType: "healthcheck",
      ResourceIds: ids,
    });
    const found = await client.send(command, { abortSignal }).catch(() => undefined);
    abortSignal.throwIfAborted();
    for (const { ResourceId, Tags } of found?.ResourceTagSets ?? []) {
      const name = Tags?.find(({ Key }) => Key === "Name")?.Value;
      if (ResourceId && name) names.set(ResourceId, name);
    }
  }
  return names;
}

function describe({ Id = "?", HealthCheckConfig: config }: HealthCheck): string {
  const target = config?.FullyQualifiedDomainName ?? config?.IPAddress;
  return target === undefined ? Id : `${target}${config?.ResourcePath ?? ""}`;
}

/** Others look at further checks or at an alarm, and no checker observes them. */
const isObserved = ({ HealthCheckConfig: config }: HealthCheck): boolean =>
  !["CALCULATED", "CLOUDWATCH_METRIC", "RECOVERY_CONTROL"].includes(config?.Type ?? "");

type Checked = Pick<HealthCheck, "HealthCheckConfig">;

/** Given a check and what its checkers saw, return how it is. Pure. */
export function judgeCheck(
  name: string,
  { HealthCheckConfig: config }: Checked,
  observations: readonly HealthCheckObservation[],
): Reading {
  if (config?.Disabled) return disabled(name);
  const reports = observations.flatMap(({ StatusReport }) => StatusReport?.Status ?? []);
  if (reports.length === 0) return tell(name, "unknown", "no checker has reported");
  const isInverted = config?.Inverted === true;
  const good = reports.filter((status) => status.startsWith("Success")).length;
  const isHealthy = good / reports.length > HEALTHY_SHARE !== isInverted;
  const count = `${good} of ${reports.length} checkers see it well${isInverted ? ", and it is inverted" : ""}`;
  const bad = reports.find((status) => !status.startsWith("Success"));
  const detail = bad === undefined || isInverted ? count : `${count}; ${bad}`;
  if (!isHealthy) return tell(name, "fail", detail);
  return tell(name, isInverted || good === reports.length ? "ok" : "warn", detail);
}

/** Given a check that nobody observes and the last value of its metric, return how it is. Pure. */
function judgeMetric(
  name: string,
  { HealthCheckConfig: config }: Checked,
  value?: number,
): Reading {
  if (config?.Disabled) return disabled(name);
  if (value === undefined) return tell(name, "unknown", "CloudWatch has no value of it");
  return value >= 1 ? tell(name, "ok", "healthy") : tell(name, "fail", "unhealthy");
}

const tell = (name: string, state: HealthState, detail: string): Reading => ({
  area: "dns check",
  name,
  state,
  detail,
});
const disabled = (name: string): Reading =>
  tell(name, "unmonitored", "it is disabled, and counts as healthy");
