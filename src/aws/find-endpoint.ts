import { loadSharedConfigFiles } from "@smithy/shared-ini-file-loader";

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
