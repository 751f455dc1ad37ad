/** Building versitygw from the Go module registry. */
import { fetchPart } from "./fetch-part.ts";
import type { FetchOptions, FetchReport } from "./fetch-part.ts";
import { VERSITYGW_VERSION, versitygwFolder } from "./versitygw-cache.ts";

const PACKAGE = `github.com/versity/versitygw/cmd/versitygw@v${VERSITYGW_VERSION}`;

/** Takes the environment variables, limits and Go's program; builds versitygw, with no other toolchain than that. Never throws. */
export function fetchVersitygw({
  go = "go",
  ...options
}: FetchOptions & { go?: string }): Promise<FetchReport> {
  const folder = versitygwFolder(options.environment);
  return fetchPart(
    {
      name: "versitygw",
      registry: "go",
      folder,
      make: (unfinished, run) =>
        run(go, ["install", "-trimpath", "-ldflags=-s -w", PACKAGE], {
          GOBIN: unfinished,
          GOTOOLCHAIN: "local",
          CGO_ENABLED: "0",
        }),
    },
    options,
  );
}
