import type { AwsScope } from "./aws-scope.ts";

/** Region by region a limit of its own, so that one that hangs holds nobody up. */
const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;

/**
 * Given a scope, return the options with which every client of AWS is built. Credentials and endpoints are those of the profile and of
 * the environment, as the SDK reads them (AWS_ENDPOINT_URL*, `services` sections, SSO, credential_process); throttling is waited out.
 */
export function clientOptions(scope: Pick<AwsScope, "profile" | "region">) {
  return {
    region: scope.region,
    ...(scope.profile !== undefined && { profile: scope.profile }),
    retryMode: "adaptive",
    maxAttempts: 4,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  };
}
