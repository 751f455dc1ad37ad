import {
  DescribeInstancesCommand,
  DescribeLayersCommand,
  DescribeStacksCommand,
  OpsWorksClient,
} from "@aws-sdk/client-opsworks";
import type { AwsScope } from "../aws/aws-scope.ts";
import { type AwsAccess, clientOptions } from "../aws/client-options.ts";
import { explainAwsError } from "../aws/explain-error.ts";
import type { Instance } from "./instance.ts";

/**
 * Given a scope whose endpoint still answers OpsWorks Stacks' API (AWS closed its own on 26 May 2024), return the instances of all stacks:
 * the stack is their environment, the short names of their layers their role. Errors: those of `explainAwsError`.
 */
export async function fetchOpsWorksInstances(
  scope: AwsScope,
  access: AwsAccess,
): Promise<Instance[]> {
  const client = new OpsWorksClient(await clientOptions(scope, "OPSWORKS", access));
  const abort = { abortSignal: access.signal };
  // Each may be allowed or denied on its own.
  const ask = <T>(action: string, answer: Promise<T>): Promise<T> =>
    answer.catch((error: unknown) => {
      access.signal.throwIfAborted();
      throw explainAwsError(error, `opsworks:${action}`, scope);
    });
  try {
    const { Stacks = [] } = await ask(
      "DescribeStacks",
      client.send(new DescribeStacksCommand({}), abort),
    );
    const found = await Promise.all(
      Stacks.map(async ({ StackId, Name }) => {
        const [{ Layers = [] }, { Instances = [] }] = await Promise.all([
          ask("DescribeLayers", client.send(new DescribeLayersCommand({ StackId }), abort)),
          ask("DescribeInstances", client.send(new DescribeInstancesCommand({ StackId }), abort)),
        ]);
        const layerNames = new Map(Layers.map(({ LayerId, Shortname }) => [LayerId, Shortname]));
        return Instances.flatMap((instance): Instance[] => {
          if (!instance.Ec2InstanceId) return [];
          const role = (instance.LayerIds ?? [])
            .flatMap((id) => layerNames.get(id) ?? [])
            .sort()
            .join("+");
          const publicAddress = instance.ElasticIp || instance.PublicIp;
          // OpsWorks says `online` for what EC2 calls running.
          const state = instance.Status === "online" ? "running" : instance.Status;
          return [
            {
              id: instance.Ec2InstanceId,
              region: scope.region,
              source: "opsworks",
              ...(instance.Hostname && { name: instance.Hostname }),
              ...(state && { state }),
              ...(publicAddress && { publicAddress }),
              ...(instance.PrivateIp && { privateAddress: instance.PrivateIp }),
              ...(Name && { environment: Name }),
              ...(role && { role }),
            },
          ];
        });
      }),
    );
    return found.flat();
  } finally {
    client.destroy();
  }
}
