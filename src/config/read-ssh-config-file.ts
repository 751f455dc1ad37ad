import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describeError, errorCode, OperatorError } from "../system/errors.ts";
import { expandHome, sshHome } from "./folders.ts";

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
