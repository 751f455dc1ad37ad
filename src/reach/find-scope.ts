import type { Config } from "../config/schema.ts";
import { OperatorError } from "../system/errors.ts";
import type { AwsPlace } from "./service-place.ts";

/**
 * Given an environment (absent: the default one) and a region (absent: its first), returns where AWS is asked. Throws `configuration`
 * where neither says, and `refused` where the profile belongs to another account than it should.
 */
export async function findScope(
  config: Config,
  environment: string | undefined,
  region: string | undefined,
  { environment: variables, signal }: AwsPlace["access"],
): Promise<AwsPlace> {
  const { identifyAccount } = await import("../aws/identify-account.ts");
  const { refuseOtherAccount } = await import("../aws/refuse-other-account.ts");
  const { planScopes } = await import("../inventory/plan-scopes.ts");
  const name = environment ?? config.defaultEnvironment;
  const [scope] = planScopes(config, {
    ...(name !== undefined && { environment: name }),
    ...(region !== undefined && { region }),
  });
  if (!scope) {
    throw new OperatorError(
      "configuration",
      `it is not said in which account and region ${name ?? "it"} is`,
      {
        next: "give its environment a section aws with a profile and regions",
      },
    );
  }
  const access = { environment: variables, signal };
  refuseOtherAccount(scope, await identifyAccount(scope, access));
  return { scope, access };
}
