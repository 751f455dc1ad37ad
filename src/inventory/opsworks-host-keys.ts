import {
  DescribeInstancesCommand,
  DescribeStacksCommand,
  OpsWorksClient,
} from "@aws-sdk/client-opsworks";
import { askAws } from "../aws/ask-aws.ts";
import type { AwsScope } from "../aws/aws-scope.ts";
import type { AwsAccess } from "../aws/client-options.ts";
import { normalizeFingerprint, type Voucher } from "./read-console-keys.ts";

/**
 * Given a scope whose endpoint still answers OpsWorks Stacks' API and an EC2 instance, return the host keys that OpsWorks'
 * record of it has: RSA and DSA, as fingerprints of OpenSSH's time then (MD5). Errors: those of `explainAwsError`.
 */
export async function fetchOpsWorksHostKeys(
  scope: AwsScope,
  instanceId: string,
  access: AwsAccess,
): Promise<Voucher[]> {
  return askAws(
    OpsWorksClient,
    "OPSWORKS",
    "opsworks:DescribeInstances",
    [scope, access],
    async ({ client, abortSignal }) => {
      const options = { abortSignal };
      const { Stacks = [] } = await client.send(new DescribeStacksCommand({}), options);
      const answers = await Promise.all(
        Stacks.map(({ StackId }) =>
          client.send(new DescribeInstancesCommand({ StackId }), options),
        ),
      );
      const record = answers
        .flatMap(({ Instances = [] }) => Instances)
        .find(({ Ec2InstanceId }) => Ec2InstanceId === instanceId);
      const known = [
        ["ssh-rsa", record?.SshHostRsaKeyFingerprint],
        ["ssh-dss", record?.SshHostDsaKeyFingerprint],
      ] as const;
      return known.flatMap(([keyType, text]) => {
        const fingerprint = text === undefined ? undefined : normalizeFingerprint(text);
        return fingerprint === undefined ? [] : [{ keyType, fingerprint, by: "OpsWorks" }];
      });
    },
  );
}
