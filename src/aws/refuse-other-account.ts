import { OperatorError } from "../system/errors.ts";
import type { AwsScope } from "./aws-scope.ts";
import type { Identity } from "./identify-account.ts";

/** Given a scope and who its credentials are, throw `refused` where the configuration names another account. */
export function refuseOtherAccount(scope: AwsScope, identity: Identity): void {
  if (scope.account === undefined || scope.account === identity.account) return;
  throw new OperatorError(
    "refused",
    `the profile ${scope.profile ?? "of the environment"} belongs to account ${identity.account}, the configuration says ${scope.account}`,
    { next: "nothing was done; correct the profile, or the account in the configuration" },
  );
}
