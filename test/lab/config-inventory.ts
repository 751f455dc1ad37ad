/** The lab's configuration with hosts whose address only EC2 knows. */
import { parseConfig } from "../support/known-config.ts";
import type { HostConfig } from "../../src/config/schema.ts";
import type { Config } from "../support/known-config.ts";

/**
 * Takes a configuration, the names of hosts and what else they say; returns it with these looked up through EC2 by
 * their Name, in their region. Throws when that does not follow the schema.
 */
export function lookUpThroughEc2(
  config: Config,
  names: string[],
  more: Partial<HostConfig> = {},
): Config {
  const changed = Object.entries(config.hosts ?? {}).map(([name, host]) => {
    if (!names.includes(name)) return [name, host];
    const { region } = host;
    const dyn = { tags: { Name: name }, ...(region !== undefined && { region }) };
    return [name, { ...host, address: { dyn }, ...more }];
  });
  return parseConfig({ ...config, hosts: Object.fromEntries(changed) });
}
