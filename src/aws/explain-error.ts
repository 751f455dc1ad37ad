import { describeError, errorCode, OperatorError } from "../system/errors.ts";
import { type AwsScope, describeScope } from "./aws-scope.ts";

const EXPIRED = new Set([
  "ExpiredToken",
  "ExpiredTokenException",
  "RequestExpired",
  "TokenProviderError",
]);
/** An access key that nobody knows, and any at all in a region that is not enabled: AWS General Reference, "Enable or disable AWS Regions". */
const NOT_KNOWN = new Set(["InvalidClientTokenId", "UnrecognizedClientException"]);
const DENIED = new Set(["UnauthorizedOperation", "AccessDenied", "AccessDeniedException"]);
const NO_CREDENTIALS = new Set(["CredentialsProviderError", "ProviderError"]);
const NOT_OPTED_IN = new Set(["AuthFailure", "OptInRequired"]);
const CLOCK = new Set([
  "SignatureDoesNotMatch",
  "RequestTimeTooSkewed",
  "InvalidSignatureException",
]);
const THROTTLED = new Set([
  "RequestLimitExceeded",
  "Throttling",
  "ThrottlingException",
  "TooManyRequestsException",
]);

/**
 * Given what a call to AWS threw, the action (`ec2:DescribeInstances`) and where it was asked, return the error in our words (one that is so already as it is): `access`
 * with what to type where the operator can mend it, `unreachable` for the network and for AWS itself.
 */
export function explainAwsError(error: unknown, action: string, scope: AwsScope): OperatorError {
  if (error instanceof OperatorError) return error;
  const name = error instanceof Error ? error.name : "";
  const where = `${action} in ${describeScope(scope)}`;
  const make = (kind: "access" | "unreachable", what: string, next: string): OperatorError =>
    new OperatorError(kind, `${where}: ${what}`, { next, cause: error });
  const login =
    scope.profile === undefined
      ? "aws configure, or name a --profile"
      : `aws sso login --profile ${scope.profile}`;
  if (EXPIRED.has(name))
    return make(
      "access",
      `the credentials have expired or are not valid (${name})`,
      // EC2 words a clock that is wrong like that, too.
      `sign in: ${login}${name === "RequestExpired" ? ", or set this machine's clock" : ""}`,
    );
  if (NOT_KNOWN.has(name))
    return make(
      "access",
      `the credentials are not valid, or the region is not enabled for their account (${name})`,
      `sign in: ${login}, or leave the region out`,
    );
  if (NO_CREDENTIALS.has(name))
    return make("access", `there are no credentials: ${firstLine(error)}`, `sign in: ${login}`);
  if (DENIED.has(name))
    return make("access", `permission denied (${name})`, `have ${action} allowed for it`);
  if (NOT_OPTED_IN.has(name))
    return make(
      "access",
      `the region is not enabled for the account, or refuses it (${name})`,
      "enable it, or take it out of the regions",
    );
  if (CLOCK.has(name))
    return make(
      "access",
      `the signature was refused (${name})`,
      "check this machine's clock, and the keys of the profile",
    );
  if (THROTTLED.has(name))
    return make("unreachable", `AWS asks to slow down (${name})`, "try again in a minute");
  if (name === "TimeoutError" || name === "AbortError")
    return make(
      "unreachable",
      "no answer in time",
      "try again, or leave the region out with --region",
    );
  const code = errorCode(error) ?? name;
  return make(
    "unreachable",
    `${firstLine(error)}${code === "Error" ? "" : ` (${code})`}`,
    "check the network and the endpoint, then try again",
  );
}

function firstLine(error: unknown): string {
  return describeError(error).split("\n")[0] ?? "";
}
