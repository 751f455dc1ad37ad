import { describeScope } from "../aws/aws-scope.ts";
import { identifyAccount } from "../aws/identify-account.ts";
import { refuseOtherAccount } from "../aws/refuse-other-account.ts";
import type { AwsAccess } from "../aws/client-options.ts";
import type { EnvironmentScope } from "../inventory/plan-scopes.ts";
import { describeError, OperatorError } from "../system/errors.ts";
import type { Finding } from "../system/finding.ts";

/** Given the scopes of the configuration, return who each profile is now, or why it cannot be used; one finding a profile. */
export async function checkAws(
  scopes: readonly EnvironmentScope[],
  access: AwsAccess,
): Promise<Finding[]> {
  const byProfile = new Map(scopes.map((scope) => [`${scope.profile} ${scope.account}`, scope]));
  return Promise.all(
    [...byProfile.values()].map(async (scope): Promise<Finding> => {
      const named = { area: "aws", name: scope.profile ?? "no profile" };
      try {
        const identity = await identifyAccount(scope, access);
        refuseOtherAccount(scope, identity);
        const detail = `account ${identity.account}, as ${identity.principal}, asked in ${describeScope(scope)}`;
        return { ...named, state: "ok", detail };
      } catch (error) {
        access.signal.throwIfAborted();
        return {
          ...named,
          state: "fail",
          detail: describeError(error),
          ...(error instanceof OperatorError && error.next !== undefined && { next: error.next }),
        };
      }
    }),
  );
}
