import { setMaxListeners } from "node:events";
import type { SharedConnections } from "../../reach/share-connections.ts";
import { OperatorError } from "../../system/errors.ts";
import type { Backups } from "../backup/open-backups.ts";
import type { Context } from "../command.ts";
import { pickServices } from "../pick-services.ts";
import { awsSources } from "./aws-sources.ts";
import { type Graph, graphsOf } from "./graphs.ts";
import { hostSources } from "./host-sources.ts";
import { serviceSources } from "./service-sources.ts";
import type { Source } from "./source.ts";
import { tunnelSources } from "./tunnel-sources.ts";

/** What can be asked, and what draws more of it. */
export interface Asked {
  sources: readonly Source[];
  graphs: readonly Graph[];
}

/** Return everything that can be asked how it is, of the environment of `--env`, of all where it is absent; in the order of the table. */
async function planSources(
  connections: SharedConnections,
  backups: Backups | undefined,
  context: Context,
): Promise<Asked> {
  const config = await context.config();
  const wanted = context.environmentFlag;
  const hosts = (await context.hosts()).filter(({ sources }) => sources[0] === "config");
  const services = pickServices(config, hosts, wanted);
  const { backupSources } = await import("./backup-sources.ts");
  const sources = [
    ...hosts.flatMap((host) => hostSources(host, connections)),
    ...services.flatMap((service) => serviceSources(service, connections, context)),
    ...(await awsSources(context)),
    ...tunnelSources(services, context),
    ...(backups ? backupSources(backups, wanted) : []),
  ];
  return { sources, graphs: graphsOf(services, hosts, connections, context) };
}

/** Call `use` with all of it; what was opened for it is closed behind. */
export async function withSources<T>(
  context: Context,
  use: (asked: Asked) => Promise<T>,
): Promise<T> {
  const { shareConnections } = await import("../../reach/share-connections.ts");
  const { ask: _never, ...unattended } = await context.reach();
  // A host that is given up must not be waited for at the end.
  const ending = new AbortController();
  const signal = AbortSignal.any([context.signal, ending.signal]);
  // Every host listens to it.
  setMaxListeners(0, signal);
  const connections = shareConnections({ ...unattended, signal });
  const useWith = async (backups?: Backups): Promise<T> =>
    use(await planSources(connections, backups, context));
  try {
    if (!(await context.config()).backups) return await useWith();
    const { withBackups } = await import("../backup/open-backups.ts");
    return await withBackups(context, useWith);
  } finally {
    ending.abort(new OperatorError("cancelled", "it has been looked at"));
    await connections.close();
  }
}
