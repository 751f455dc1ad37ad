import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describeError, errorCode, OperatorError } from "../system/errors.ts";
import { expandHome, sshHome } from "./folders.ts";

/** Given the configured file or none, return the text of the user's ssh configuration, empty where there is none. */
export async function readSshConfigFile(configFile: string | undefined): Promise<string> {
  const path =
    configFile === undefined ? join(sshHome(), ".ssh", "config") : expandHome(configFile);
  try {
    return await readFile(path, "utf8");
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
