import {
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  paginateDescribeTargetGroups,
  type TargetGroup,
  type TargetHealthDescription,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { type AwsScope, describeScope } from "../../aws/aws-scope.ts";
import { type AwsAccess, clientOptions } from "../../aws/client-options.ts";
import { explainAwsError } from "../../aws/explain-error.ts";
import { guardPages } from "../../system/guard-pages.ts";
import type { Reading } from "../../system/reading.ts";
import { judgeMembers, type Member } from "./judge-members.ts";

/** AWS' own paging, and its limit of a page. */
const PAGE_SIZE = 100;

/** Given a scope, return how each target group of its load balancers is. Throws what `explainAwsError` makes of an answer. */
export async function readTargets(scope: AwsScope, access: AwsAccess): Promise<Reading[]> {
  const client = new ElasticLoadBalancingV2Client(
    await clientOptions(scope, "ELASTIC_LOAD_BALANCING_V2", access),
  );
  const { signal: abortSignal } = access;
  let action = "elasticloadbalancing:DescribeTargetGroups";
  try {
    const groups: TargetGroup[] = [];
    const pages = paginateDescribeTargetGroups(
      { client, pageSize: PAGE_SIZE },
      {},
      { abortSignal },
    );
    const what = `${action} in ${describeScope(scope)}`;
    for await (const page of guardPages(pages, ({ NextMarker }) => NextMarker, what))
      groups.push(...(page.TargetGroups ?? []));
    action = "elasticloadbalancing:DescribeTargetHealth";
    const readings: Reading[] = [];
    for (const group of groups) {
      const { TargetHealthDescriptions = [] } = await client.send(
        new DescribeTargetHealthCommand({ TargetGroupArn: group.TargetGroupArn }),
        { abortSignal },
      );
      readings.push(
        judgeMembers(group.TargetGroupName ?? "?", TargetHealthDescriptions.map(readMember)),
      );
    }
    return readings;
  } catch (error) {
    abortSignal.throwIfAborted();
    throw explainAwsError(error, action, scope);
  } finally {
    client.destroy();
  }
}

/** The states of the API reference, TargetHealth: what is not in use or not checked is not known to be well. */
function readMember({ Target, TargetHealth }: TargetHealthDescription): Member {
  const { State = "no state", Description = "" } = TargetHealth ?? {};
  const isBad = State === "unhealthy" || State === "unhealthy.draining";
  return {
    name: [Target?.Id ?? "?", ...(Target?.Port === undefined ? [] : [Target.Port])].join(":"),
    state: State === "healthy" ? "well" : isBad ? "unwell" : "unknown",
    detail: [State, ...(Description === "" ? [] : [Description])].join(": "),
  };
}
