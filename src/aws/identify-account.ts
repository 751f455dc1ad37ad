import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { OperatorError } from "../system/errors.ts";
import type { AwsScope } from "./aws-scope.ts";
import { clientOptions } from "./client-options.ts";
import { explainAwsError } from "./explain-error.ts";

/** Who a profile is. */
export interface Identity {
  account: string;
  /** ARN of the user or role. */
  principal: string;
}

/** Given a scope, return who its credentials are. Errors: those of `explainAwsError`. */
export async function identifyAccount(scope: AwsScope, signal: AbortSignal): Promise<Identity> {
  const client = new STSClient(clientOptions(scope));
  try {
    const { Account, Arn } = await client.send(new GetCallerIdentityCommand({}), { abortSignal: signal });
    return { account: Account ?? "", principal: Arn ?? "" };
  } catch (error) {
    throw explainAwsError(error, "sts:GetCallerIdentity", scope);
  } finally {
    client.destroy();
  }
}

/** Given a scope and who its credentials are, throw `refused` where the configuration names another account. */
export function refuseOtherAccount(scope: AwsScope, identity: Identity): void {
  if (scope.account === undefined || scope.account === identity.account) return;
  throw new OperatorError(
    "refused",
    `the profile ${scope.profile ?? "of the environment"} belongs to account ${identity.account}, the configuration says ${scope.account}`,
    { next: "nothing was done; correct the profile, or the account in the configuration" },
  );
}
