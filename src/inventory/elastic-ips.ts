import { DescribeAddressesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { askAws } from "../aws/ask-aws.ts";
import type { AwsScope } from "../aws/aws-scope.ts";
import type { AwsAccess } from "../aws/client-options.ts";
import { hasTags, readPairs, tagFilters } from "./ec2-tags.ts";

export interface ElasticIp {
  address: string;
  allocation?: string;
  /** The instance that it leads to. */
  instanceId?: string;
  /** Of that instance. */
  account?: string;
  tags: Readonly<Record<string, string>>;
}

export type WantedElasticIp = { allocation: string } | { tags: Readonly<Record<string, string>> };

/** Given a scope, return its elastic IPs: those of an allocation id or of tags where they are wanted, else all. Errors: those of `explainAwsError`. */
export async function fetchElasticIps(
  scope: AwsScope,
  access: AwsAccess,
  wanted: WantedElasticIp = { tags: {} },
): Promise<ElasticIp[]> {
  const filters =
    "allocation" in wanted
      ? [{ Name: "allocation-id", Values: [wanted.allocation] }]
      : tagFilters(wanted.tags);
  return askAws(
    EC2Client,
    "EC2",
    "ec2:DescribeAddresses",
    [scope, access],
    async ({ client, abortSignal }) => {
      const { Addresses = [] } = await client.send(
        new DescribeAddressesCommand(filters.length > 0 ? { Filters: filters } : {}),
        { abortSignal },
      );
      return Addresses.flatMap(
        ({
          PublicIp,
          AllocationId,
          InstanceId,
          NetworkInterfaceOwnerId,
          Tags = [],
        }): ElasticIp[] => {
          const tags = readPairs(Tags);
          if (!PublicIp || ("tags" in wanted && !hasTags(tags, wanted.tags))) return [];
          return [
            {
              address: PublicIp,
              tags,
              ...(AllocationId && { allocation: AllocationId }),
              ...(InstanceId && { instanceId: InstanceId }),
              ...(InstanceId && NetworkInterfaceOwnerId && { account: NetworkInterfaceOwnerId }),
            },
          ];
        },
      );
    },
  );
}
