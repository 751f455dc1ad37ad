import {
  DescribeInstanceHealthCommand,
  ElasticLoadBalancingClient,
  type InstanceState,
  type LoadBalancerDescription,
  paginateDescribeLoadBalancers,
} from "@aws-sdk/client-elastic-load-balancing";
import { type AwsScope, describeScope } from "../../aws/aws-scope.ts";
import { type AwsAccess, clientOptions } from "../../aws/client-options.ts";
import { explainAwsError } from "../../aws/explain-error.ts";
import { guardPages } from "../../system/guard-pages.ts";
import type { Reading } from "../../system/reading.ts";
import { judgeMembers, type Member } from "./judge-members.ts";

/** Given a scope, return how what stands behind each of its Classic Load Balancers is. Throws what `explainAwsError` makes of an answer. */
export async function readClassic(scope: AwsScope, access: AwsAccess): Promise<Reading[]> {
  const client = new ElasticLoadBalancingClient(
    await clientOptions(scope, "ELASTIC_LOAD_BALANCING", access),
  );
  const { signal: abortSignal } = access;
  let action = "elasticloadbalancing:DescribeLoadBalancers";
  try {
    const balancers: LoadBalancerDescription[] = [];
    const pages = paginateDescribeLoadBalancers({ client }, {}, { abortSignal });
    const what = `${action} in ${describeScope(scope)}`;
    for await (const page of guardPages(pages, ({ NextMarker }) => NextMarker, what))
      balancers.push(...(page.LoadBalancerDescriptions ?? []));
    action = "elasticloadbalancing:DescribeInstanceHealth";
    const readings: Reading[] = [];
    for (const { LoadBalancerName } of balancers) {
      const { InstanceStates = [] } = await client.send(
        new DescribeInstanceHealthCommand({ LoadBalancerName }),
        { abortSignal },
      );
      readings.push(judgeMembers(LoadBalancerName ?? "?", InstanceStates.map(readMember)));
    }
    return readings;
  } catch (error) {
    abortSignal.throwIfAborted();
    throw explainAwsError(error, action, scope);
  } finally {
    client.destroy();
  }
}

function readMember({ InstanceId = "?", State = "no state", Description }: InstanceState): Member {
  const isKnown = State === "InService" || State === "OutOfService";
  return {
    name: InstanceId,
    state: isKnown ? (State === "InService" ? "well" : "unwell") : "unknown",
    detail: Description === undefined || Description === "N/A" ? State : `${State}: ${Description}`,
  };
}
