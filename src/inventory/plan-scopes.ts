import type { AwsScope } from "../aws/aws-scope.ts";
import type { Config } from "../config/schema.ts";

/** A scope, and what of the configuration it stands for. */
export interface EnvironmentScope extends AwsScope {
  /** Environments that are reached through it. */
  environments: readonly string[];
  hasOpsWorks: boolean;
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
 * An environment without a section `aws` has none; one without regions has none either, unless `--region` names one. Pure.
 */
export function planScopes(config: Config, wishes: ScopeWishes): EnvironmentScope[] {
  const scopes = new Map<string, EnvironmentScope>();
  for (const [name, { aws }] of Object.entries(config.environments ?? {})) {
    if (!aws || (wishes.environment !== undefined && wishes.environment !== name)) continue;
    const profile = wishes.profile ?? aws.profile;
    const regions = wishes.region === undefined ? (aws.regions ?? []) : wishes.region.split(",");
    for (const region of regions) {
      const key = JSON.stringify([profile, aws.account, region]);
      const known = scopes.get(key);
      scopes.set(key, {
        region,
        ...(profile !== undefined && { profile }),
        ...(aws.account !== undefined && { account: aws.account }),
        environments: [...(known?.environments ?? []), name],
        hasOpsWorks: aws.opsworks === true || known?.hasOpsWorks === true,
      });
    }
  }
  return [...scopes.values()];
}
