import type { AwsAccess } from "../aws/client-options.ts";
import { describeError, OperatorError } from "../system/errors.ts";
import type { Lookup } from "./look-up-address.ts";
import type { EnvironmentScope } from "./plan-scopes.ts";
import { readConsoleKeys, type Voucher } from "./read-console-keys.ts";

/** What AWS knows of the host keys of an instance. */
export interface HostKeyProof {
  vouchers: readonly Voucher[];
  /** Why one of those who were asked could not say anything, a line each. */
  gaps: readonly string[];
}

/** A machine that cannot be proven is asked about; nobody waits longer for that. */
const LIMIT_MS = 5_000;

/**
 * Given where an instance was found, ask its console for the host keys of its first boot, and OpsWorks where an endpoint still
 * answers it. A question that is denied, or that nobody answers in time, is a gap and no error. Throws the signal's reason.
 */
export async function proveHostKey(lookup: Lookup, access: AwsAccess): Promise<HostKeyProof> {
  const { scope, instanceId } = lookup;
  if (!scope || instanceId === undefined) return { vouchers: [], gaps: [] };
  const limited = {
    ...access,
    signal: AbortSignal.any([access.signal, AbortSignal.timeout(LIMIT_MS)]),
  };
  const orGap = (action: string, answer: Promise<HostKeyProof>): Promise<HostKeyProof> =>
    answer.catch((error: unknown) => {
      access.signal.throwIfAborted();
      const gap = limited.signal.aborted
        ? `${action} in ${scope.region}: no answer within ${LIMIT_MS / 1000} s`
        : describeGap(error);
      return { vouchers: [], gaps: [gap] };
    });
  const answers = await Promise.all([
    orGap("ec2:GetConsoleOutput", askConsole(scope, instanceId, limited)),
    ...(scope.hasOpsWorks
      ? [orGap("opsworks:DescribeInstances", askOpsWorks(scope, instanceId, limited))]
      : []),
  ]);
  return {
    vouchers: answers.flatMap(({ vouchers }) => vouchers),
    gaps: answers.flatMap(({ gaps }) => gaps),
  };
}

async function askConsole(
  scope: EnvironmentScope,
  instanceId: string,
  access: AwsAccess,
): Promise<HostKeyProof> {
  const { fetchConsole } = await import("./console-output.ts");
  for await (const text of fetchConsole(scope, instanceId, access)) {
    const vouchers = readConsoleKeys(text, "the EC2 console");
    if (vouchers.length > 0) return { vouchers, gaps: [] };
  }
  const gap = "it has them minutes after the first boot, and loses them later";
  return { vouchers: [], gaps: [`the EC2 console shows no host keys: ${gap}`] };
}

async function askOpsWorks(
  scope: EnvironmentScope,
  instanceId: string,
  access: AwsAccess,
): Promise<HostKeyProof> {
  const { fetchOpsWorksHostKeys } = await import("./opsworks-host-keys.ts");
  const vouchers = await fetchOpsWorksHostKeys(scope, instanceId, access);
  return { vouchers, gaps: vouchers.length > 0 ? [] : ["OpsWorks knows no host key of it"] };
}

/** With what to do about it: nothing else of it will be told. */
function describeGap(error: unknown): string {
  const next = error instanceof OperatorError ? error.next : undefined;
  return next === undefined ? describeError(error) : `${describeError(error)}; ${next}`;
}
