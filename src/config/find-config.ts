import { join, resolve } from "node:path";
import type { Folders } from "./folders.ts";

const FILE_NAME = "lcops.config.json";

/**
 * Given what the command line and the environment say, return the path of the configuration file: `--config`,
 * then `$LCOPS_CONFIG`, then the user's configuration folder. It may not exist.
 */
export function findConfigPath(
  flag: string | undefined,
  environment: NodeJS.ProcessEnv,
  folders: Folders,
): string {
  return resolve(flag ?? (environment["LCOPS_CONFIG"] || join(folders.config, FILE_NAME)));
}
