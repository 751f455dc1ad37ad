import {
  type DescribeInstancesCommandInput,
  EC2Client,
  type Instance as Ec2Instance,
  paginateDescribeInstances,
} from "@aws-sdk/client-ec2";
import { askAws } from "../aws/ask-aws.ts";
import type { AwsScope } from "../aws/aws-scope.ts";
import type { AwsAccess } from "../aws/client-options.ts";
import { hasTags, readPairs, tagFilters } from "./ec2-tags.ts";
import { type Instance, readTags } from "./instance.ts";

/** EC2 gives 1000 at once; a quarter keeps what is parsed at a time, and with it the memory, small. */
const PAGE_SIZE = 250;

export interface InstanceQuery {
  /** Tags that it must carry, all of them. */
  tags?: Readonly<Record<string, string>>;
  ids?: readonly string[];
  states?: readonly string[];
}

/**
 * Given a scope and a query, return the instances, page by page. Terminated ones are left out unless their state is asked for.
 * Throws what `explainAwsError` makes of an answer; also where a page repeats, since what follows would never end.
 */
export async function fetchInstances(
  scope: AwsScope,
  query: InstanceQuery,
  access: AwsAccess,
): Promise<Instance[]> {
  // An empty list of ids would mean everything.
  if (query.ids?.length === 0) return [];
  const found: Instance[] = [];
  const isNarrow = query.ids !== undefined || query.tags !== undefined;
  return askAws(
    EC2Client,
    "EC2",
    "ec2:DescribeInstances",
    [scope, access],
    async ({ client, abortSignal, guard }) => {
      const pages = paginateDescribeInstances({ client, pageSize: PAGE_SIZE }, makeInput(query), {
        abortSignal,
      });
      for await (const page of guard(pages, ({ NextToken }) => NextToken)) {
        for (const reservation of page.Reservations ?? []) {
          for (const instance of reservation.Instances ?? []) {
            const read = readInstance(instance, scope.region);
            if (!read || !hasTags(read.tags, query.tags)) continue;
            // A whole region has one owner, which would be kept tens of thousands of times.
            if (isNarrow && reservation.OwnerId) read.account = reservation.OwnerId;
            found.push(read);
          }
        }
      }
      return found;
    },
  );
}

function makeInput(query: InstanceQuery): DescribeInstancesCommandInput {
  const states = query.states ?? ["running", "pending", "stopping", "stopped", "shutting-down"];
  return {
    Filters: [
      { Name: "instance-state-name", Values: [...states] },
      ...tagFilters(query.tags ?? {}),
      ...(query.ids ? [{ Name: "instance-id", Values: [...query.ids] }] : []),
    ],
  };
}

/** Only what lcops needs: tens of thousands are held at once. */
function readInstance(instance: Ec2Instance, region: string): Instance | undefined {
  if (!instance.InstanceId) return undefined;
  const tags = readPairs(instance.Tags ?? []);
  const state = instance.State?.Name;
  const publicAddress = instance.PublicIpAddress || instance.Ipv6Address;
  return {
    id: instance.InstanceId,
    region,
    source: "ec2",
    ...readTags(tags),
    ...(state && { state }),
    ...(publicAddress && { publicAddress }),
    ...(instance.PrivateIpAddress && { privateAddress: instance.PrivateIpAddress }),
    ...(instance.LaunchTime && { launchedAt: instance.LaunchTime.toISOString() }),
    ...(Object.keys(tags).length > 0 && { tags }),
  };
}
