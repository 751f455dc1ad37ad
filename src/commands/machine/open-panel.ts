import { resolve } from "node:path";
import { expandHome } from "../../config/folders.ts";
import type { MachineServiceConfig } from "../../config/workstation-schema.ts";
import { OperatorError } from "../../system/errors.ts";
import { listServices } from "../../workstation/list-panel.ts";
import { openServices, type OpenService } from "../../workstation/open-services.ts";
import type { Context } from "../command.ts";

/** Given the context, return the rows of the panel, ready to be observed and changed; `update` is told what is being done. */
export async function openPanel(
  context: Pick<Context, "config" | "childEnvironment" | "signal" | "folders">,
  update: (line: string) => void = () => undefined,
): Promise<OpenService[]> {
  const rows = listServices(await context.config());
  return openServices(
    rows.map((row) => ({ ...row, config: expandPaths(row.config) })),
    {
      environment: await context.childEnvironment(),
      signal: context.signal,
      stateFolder: context.folders.state,
      cacheFolder: context.folders.cache,
      update,
    },
  );
}

function expandPaths(config: MachineServiceConfig): MachineServiceConfig {
  if (config.kind !== "ram-mysql") return config;
  const { seed, folder } = config;
  return {
    ...config,
    ...(seed !== undefined && { seed: resolve(expandHome(seed)) }),
    ...(folder !== undefined && { folder: resolve(expandHome(folder)) }),
  };
}

/** Given the rows and a name that was typed, return its row. Throws `usage` where there is none. */
export function pickService<Row extends { name: string }>(rows: readonly Row[], name: string): Row {
  const found = rows.find((row) => row.name === name);
  if (found) return found;
  throw new OperatorError("usage", `there is no service ${name} on the panel`, {
    next: `name one of ${rows.map((row) => row.name).join(", ")}`,
  });
}
