import {
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  paginateDescribeTargetGroups,
  type TargetGroup,
  type TargetHealthDescription,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { askAws } from "../../aws/ask-aws.ts";
import type { AwsScope } from "../../aws/aws-scope.ts";
import type { AwsAccess } from "../../aws/client-options.ts";
import type { Reading } from "../../system/reading.ts";
import { judgeMembers, type Member } from "./judge-members.ts";

/** AWS' own paging, and its limit of a page. */
const PAGE_SIZE = 100;

/** Given a scope, return how each target group of its load balancers is. Throws what `explainAwsError` makes of an answer. */
export async function readTargets(scope: AwsScope, access: AwsAccess): Promise<Reading[]> {
  return askAws(
    ElasticLoadBalancingV2Client,
    "ELASTIC_LOAD_BALANCING_V2",
    "elasticloadbalancing:DescribeTargetGroups",
    [scope, access],
    async ({ client, abortSignal, begin, guard }) => {
      const groups: TargetGroup[] = [];
      const pages = paginateDescribeTargetGroups(
        { client, pageSize: PAGE_SIZE },
        {},
        { abortSignal },
      );
      for await (const page of guard(pages, ({ NextMarker }) => NextMarker))
        groups.push(...(page.TargetGroups ?? []));
      begin("elasticloadbalancing:DescribeTargetHealth");
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
    },
  );
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
