import { readFileSync } from "node:fs";
import { join } from "node:path";
import SSHConfig, { LineType } from "ssh-config";
import { describeError, errorCode, OperatorError } from "../system/errors.ts";
import { expandHome, sshHome } from "./folders.ts";
import { NAME } from "./name.ts";

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

/** Given the configured file or none, return the text of the user's ssh configuration, empty where there is none. */
export function readSshConfigFile(configFile: string | undefined): string {
  const path =
    configFile === undefined ? join(sshHome(), ".ssh", "config") : expandHome(configFile);
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT" && configFile === undefined) return "";
    throw new OperatorError(
      "configuration",
      `cannot read the ssh configuration ${path}: ${describeError(error)}`,
      {
        cause: error,
      },
    );
  }
}
