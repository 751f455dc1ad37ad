/** Fetching OpenSearch's smallest distribution from the Maven registry. */
import { rmSync } from "node:fs";
import path from "node:path";
import { fetchPart } from "./fetch-part.ts";
import type { FetchOptions, FetchReport } from "./fetch-part.ts";
import { OPENSEARCH_VERSION, openSearchFolder } from "./opensearch-cache.ts";

const ARTIFACT = `org.opensearch.distribution.integ-test-zip:opensearch:${OPENSEARCH_VERSION}:zip`;

/** Takes the environment variables, limits and Maven's program; fetches and unpacks OpenSearch. Never throws. */
export function fetchOpenSearch({
  maven = "mvn",
  ...options
}: FetchOptions & { maven?: string }): Promise<FetchReport> {
  const folder = openSearchFolder(options.environment);
  return fetchPart(
    {
      name: "opensearch",
      registry: "maven",
      folder,
      make: async (unfinished, run) => {
        await run(maven, [
          "--batch-mode",
          "--quiet",
          "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack",
          `-Dartifact=${ARTIFACT}`,
          `-DoutputDirectory=${unfinished}`,
        ]);
        // Where there is no project, it notes in a folder of this very name what it has unpacked.
        rmSync(path.join(unfinished, "${project.basedir}"), { recursive: true, force: true });
      },
    },
    options,
  );
}
