import type { AwsScope } from "../aws/aws-scope.ts";
import { OperatorError } from "../system/errors.ts";
import type { Config } from "../config/schema.ts";

/** A scope, and what of the configuration it stands for. */
export interface EnvironmentScope extends AwsScope {
  /** Environments that are reached through it. */
  environments: readonly string[];
  hasOpsWorks: boolean;
  /** Whether a host may be known by an elastic IP there that has to be looked up. */
  hasElasticIps: boolean;
}

export interface ScopeWishes {
  /** `--env`. */
  environment?: string;
  /** `--profile`, instead of the configured ones. */
  profile?: string;
  /** `--region`, instead of the configured ones. */
  region?: string;
}

/**
 * Given the configuration and the wishes of the command line, return every profile and region to ask, each once, in the order of the file.
 * An environment without a section `aws` has none; one without regions has none either, unless `--region` names one. Throws `usage` for
 * a region that is none, and for a profile where it is not said of which environment. Pure.
 */
export function planScopes(config: Config, wishes: ScopeWishes): EnvironmentScope[] {
  const wishedRegions = wishes.region === undefined ? undefined : readRegions(wishes.region);
  const served = Object.values(config.environments ?? {}).filter(({ aws }) => aws);
  if (wishes.profile !== undefined && wishes.environment === undefined && served.length > 1) {
    throw new OperatorError("usage", "--profile is for one environment, and there are several", {
      next: "name it with --env",
    });
  }
  const scopes = new Map<string, EnvironmentScope>();
  for (const [name, { aws }] of Object.entries(config.environments ?? {})) {
    if (!aws || (wishes.environment !== undefined && wishes.environment !== name)) continue;
    const profile = wishes.profile ?? aws.profile;
    const regions = wishedRegions ?? aws.regions ?? [];
    for (const region of regions) {
      const key = JSON.stringify([profile, aws.account, region]);
      const known = scopes.get(key);
      scopes.set(key, {
        region,
        ...(profile !== undefined && { profile }),
        ...(aws.account !== undefined && { account: aws.account }),
        environments: [...(known?.environments ?? []), name],
        hasElasticIps:
          known?.hasElasticIps === true || hasElasticIps(config.hosts ?? {}, name, region),
        hasOpsWorks: aws.opsworks === true || known?.hasOpsWorks === true,
      });
    }
  }
  return [...scopes.values()];
}

function hasElasticIps(
  hosts: NonNullable<Config["hosts"]>,
  environment: string,
  region: string,
): boolean {
  return Object.values(hosts).some((host) => {
    if (!host.address || !("eip" in host.address) || typeof host.address.eip === "string")
      return false;
    const wanted = host.address.eip.region ?? host.region ?? region;
    return wanted === region && (host.environment ?? environment) === environment;
  });
}

/** Given what `--region` says, one region or several with commas, return them. Throws `usage` for one that is none. Pure. */
export function readRegions(text: string): string[] {
  const regions = text.split(",").map((region) => region.trim());
  const wrong = regions.find((region) => !/^[a-z]{2}(-[a-z]+)+-\d$/.test(region));
  if (wrong === undefined) return regions;
  throw new OperatorError("usage", `${JSON.stringify(wrong)} is no region`, {
    next: "name it as AWS does, e.g. eu-west-1",
  });
}
