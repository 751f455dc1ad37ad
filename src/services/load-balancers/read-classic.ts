import {
  DescribeInstanceHealthCommand,
  ElasticLoadBalancingClient,
  type InstanceState,
  type LoadBalancerDescription,
  paginateDescribeLoadBalancers,
} from "@aws-sdk/client-elastic-load-balancing";
import { askAws } from "../../aws/ask-aws.ts";
import type { AwsScope } from "../../aws/aws-scope.ts";
import type { AwsAccess } from "../../aws/client-options.ts";
import type { Reading } from "../../system/reading.ts";
import { judgeMembers, type Member } from "./judge-members.ts";

/** Given a scope, return how what stands behind each of its Classic Load Balancers is. Throws what `explainAwsError` makes of an answer. */
export async function readClassic(scope: AwsScope, access: AwsAccess): Promise<Reading[]> {
  return askAws(
    ElasticLoadBalancingClient,
    "ELASTIC_LOAD_BALANCING",
    "elasticloadbalancing:DescribeLoadBalancers",
    [scope, access],
    async ({ client, abortSignal, begin, guard }) => {
      const balancers: LoadBalancerDescription[] = [];
      const pages = paginateDescribeLoadBalancers({ client }, {}, { abortSignal });
      for await (const page of guard(pages, ({ NextMarker }) => NextMarker))
        balancers.push(...(page.LoadBalancerDescriptions ?? []));
      begin("elasticloadbalancing:DescribeInstanceHealth");
      const readings: Reading[] = [];
      for (const { LoadBalancerName } of balancers) {
        const { InstanceStates = [] } = await client.send(
          new DescribeInstanceHealthCommand({ LoadBalancerName }),
          { abortSignal },
        );
        readings.push(judgeMembers(LoadBalancerName ?? "?", InstanceStates.map(readMember)));
      }
      return readings;
    },
  );
}

function readMember({ InstanceId = "?", State = "no state", Description }: InstanceState): Member {
  const isKnown = State === "InService" || State === "OutOfService";
  return {
    name: InstanceId,
    state: isKnown ? (State === "InService" ? "well" : "unwell") : "unknown",
    detail: Description === undefined || Description === "N/A" ? State : `${State}: ${Description}`,
  };
}
