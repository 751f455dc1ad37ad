/** Where versitygw is kept, an S3 server that `npm run lab:fetch` builds from its Go module. */
import { existsSync } from "node:fs";
import path from "node:path";
import { cacheFolder } from "./cache-folder.ts";
import { registryAllowed } from "./packages.ts";

export const VERSITYGW_VERSION = "1.8.0";

/** Takes environment variables; returns the folder in which it is kept, or will be. */
export function versitygwFolder(environment: NodeJS.ProcessEnv): string {
  return path.join(cacheFolder(environment), `versitygw-${VERSITYGW_VERSION}`);
}

/** Takes environment variables; returns the program, or undefined where it was not built or Go's registry is left out. */
export function findVersitygw(environment: NodeJS.ProcessEnv): string | undefined {
  if (!registryAllowed(environment["LCOPS_LAB_ONLY"], "go")) return undefined;
  const program = path.join(versitygwFolder(environment), "versitygw");
  return existsSync(program) ? program : undefined;
}
