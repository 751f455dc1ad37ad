import SSHConfig, { LineType } from "ssh-config";
import { describeError, OperatorError } from "../system/errors.ts";
import { NAME } from "./name.ts";
import { readSshConfigFile } from "./read-ssh-config-file.ts";

/** One `Host` of the user's ssh configuration. */
export interface SshHost {
  name: string;
  hostName?: string;
  user?: string;
  port?: number;
}

/**
 * Given the configured file or none (~/.ssh/config), return the hosts that it names in full: patterns are passed over,
 * and so are names that are no plain words. `Include` is not followed here; connecting asks `ssh` itself.
 */
export function readSshHosts(configFile: string | undefined): SshHost[] {
  const text = readSshConfigFile(configFile);
  let config: SSHConfig;
  try {
    config = SSHConfig.parse(text);
  } catch (error) {
    throw new OperatorError(
      "configuration",
      `cannot read the ssh configuration: ${describeError(error)}`,
      {
        cause: error,
      },
    );
  }
  const hosts = new Map<string, SshHost>();
  for (const section of config) {
    if (section.type !== LineType.DIRECTIVE || section.param.toLowerCase() !== "host") continue;
    if (!("config" in section)) continue;
    const first = (keyword: string): string | undefined => {
      for (const line of section.config) {
        if (line.type === LineType.DIRECTIVE && line.param.toLowerCase() === keyword) {
          return wordsOf(line.value)[0];
        }
      }
      return undefined;
    };
    for (const name of wordsOf(section.value)) {
      if (!NAME.test(name) || hosts.has(name)) continue;
      const [hostName, user, port] = [first("hostname"), first("user"), Number(first("port"))];
      hosts.set(name, {
        name,
        ...(hostName !== undefined && { hostName }),
        ...(user !== undefined && { user }),
        ...(Number.isInteger(port) && { port }),
      });
    }
  }
  return [...hosts.values()];
}

function wordsOf(value: string | { val: string }[]): string[] {
  return typeof value === "string" ? [value] : value.map((part) => part.val);
}
