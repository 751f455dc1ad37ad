import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { AwsScope } from "./aws-scope.ts";
import { type AwsAccess, clientOptions } from "./client-options.ts";
import { explainAwsError } from "./explain-error.ts";

/** Who a profile is. */
export interface Identity {
  account: string;
  /** ARN of the user or role. */
  principal: string;
}

/** Given a scope, return who its credentials are. Errors: those of `explainAwsError`. */
export async function identifyAccount(scope: AwsScope, access: AwsAccess): Promise<Identity> {
  const client = new STSClient(await clientOptions(scope, "STS", access));
  try {
    const { Account, Arn } = await client.send(new GetCallerIdentityCommand({}), {
      abortSignal: access.signal,
    });
    return { account: Account ?? "", principal: Arn ?? "" };
  } catch (error) {
    throw explainAwsError(error, "sts:GetCallerIdentity", scope);
  } finally {
    client.destroy();
  }
}
