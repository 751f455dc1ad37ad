import { loadSharedConfigFiles } from "@smithy/shared-ini-file-loader";
import type { AwsScope } from "./aws-scope.ts";

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

/**
 * Given a profile and a service (`EC2`), return the endpoint that the profile sets for it, or undefined. The SDK reads the variables
 * AWS_ENDPOINT_URL* itself, and they win; of the profile it reads endpoints only when AWS_PROFILE names it, and lcops speaks to several.
 * Order: AWS SDKs and Tools Reference Guide, "Service-specific endpoints".
 */
export async function findEndpoint(
  profile: string | undefined,
  service: string,
  environment: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const isSet = environment["AWS_ENDPOINT_URL"] || environment[`AWS_ENDPOINT_URL_${service}`];
  if (
    profile === undefined ||
    isSet ||
    environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] === "true"
  )
    return undefined;
  const { configFile } = await loadSharedConfigFiles();
  const section = configFile[profile];
  // A nested section comes back flat: `[services x]`, `ec2.endpoint_url`.
  const services = section?.["services"]
    ? configFile[`services.${section["services"]}`]
    : undefined;
  return services?.[`${service.toLowerCase()}.endpoint_url`] ?? section?.["endpoint_url"];
}
