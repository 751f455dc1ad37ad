import type { AwsScope } from "./aws-scope.ts";
import { findEndpoint } from "./find-endpoint.ts";

/** With what AWS is spoken to. */
export interface AwsAccess {
  /** Only to know whether the SDK finds an endpoint in it. */
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/** Region by region a limit of its own, so that one that hangs holds nobody up. */
const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;

/**
 * Given a scope and a service (`EC2`), return the options with which its client is built. Credentials and endpoints are those of the profile
 * and of the environment (AWS_ENDPOINT_URL*, `services` sections, SSO, credential_process); throttling is waited out.
 */
export async function clientOptions(scope: AwsScope, service: string, access: AwsAccess) {
  const endpoint = await findEndpoint(scope.profile, service, access.environment);
  return {
    region: scope.region,
    ...(scope.profile !== undefined && { profile: scope.profile }),
    ...(endpoint !== undefined && { endpoint }),
    retryMode: "adaptive",
    maxAttempts: 4,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  };
}
