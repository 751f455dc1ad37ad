/** Where the lab keeps between its runs what `npm run lab:fetch` has fetched. */
import os from "node:os";
import path from "node:path";

/** Takes environment variables; returns that folder, which need not exist. */
export function cacheFolder(environment: NodeJS.ProcessEnv): string {
  const cache = environment["XDG_CACHE_HOME"] ?? "";
  const root = path.isAbsolute(cache) ? cache : path.join(os.homedir(), ".cache");
  return path.join(root, "lcops-lab");
}
