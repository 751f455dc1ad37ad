import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { OperatorError } from "../system/errors.ts";
import { type AwsScope, describeScope } from "./aws-scope.ts";
import { type AwsAccess, clientOptions } from "./client-options.ts";
import { explainAwsError } from "./explain-error.ts";
import { listProfiles, type Profile } from "./list-profiles.ts";

/** Who a profile is. */
export interface Identity {
  account: string;
  /** ARN of the user or role. */
  principal: string;
}

const ACTION = "sts:GetCallerIdentity";

/** Given a scope, return who its credentials are. Errors: those of `explainAwsError`, and `access` for a profile that there is not. */
export async function identifyAccount(scope: AwsScope, access: AwsAccess): Promise<Identity> {
  const client = new STSClient(await clientOptions(scope, "STS", access));
  try {
    const { Account, Arn } = await client.send(new GetCallerIdentityCommand({}), {
      abortSignal: access.signal,
    });
    return { account: Account ?? "", principal: Arn ?? "" };
  } catch (error) {
    const hasNone = error instanceof Error && error.name === "CredentialsProviderError";
    const profiles = hasNone ? await listProfiles(access.environment) : undefined;
    throw (
      (profiles && explainMissingProfile(scope, profiles)) ?? explainAwsError(error, ACTION, scope)
    );
  } finally {
    client.destroy();
  }
}

/** Returns the error for a profile that is not among the given ones, else undefined: the SDK says only that it has found no credentials. Pure. */
export function explainMissingProfile(
  scope: AwsScope,
  profiles: readonly Pick<Profile, "name">[],
): OperatorError | undefined {
  if (scope.profile === undefined) return undefined;
  const names = profiles.map(({ name }) => name);
  if (names.includes(scope.profile)) return undefined;
  return new OperatorError(
    "access",
    `${ACTION} in ${describeScope(scope)}: there is no such profile in the AWS files`,
    {
      next:
        names.length > 0
          ? `name one of ${names.join(", ")}`
          : `make it: aws configure sso --profile ${scope.profile}`,
    },
  );
}
