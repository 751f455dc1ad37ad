import { openPlaceReader, type Reader } from "../services/mysql/open-reader.ts";
import type { Server } from "../services/mysql/open-server.ts";
import { findCatchUp, readFollowing, readHealth } from "../services/mysql/read-replication.ts";
import { OperatorError } from "../system/errors.ts";
import { compareDatabases } from "./compare-databases.ts";
import { compareSchema } from "./compare-schema.ts";
import { describeWhy, type Pair, patienceFor } from "./pair.ts";
import { type CheckReport, draftReport, notConfigured, skippedWhole } from "./report.ts";
import { skipUnseenDefinitions } from "./skip-unseen.ts";
import { makeSteer } from "./steer.ts";
import type { ServicePlace } from "../reach/service-place.ts";

export interface ServersOptions {
  /** Given the databases that both show, return which are compared, by their names on both sides. */
  pairDatabases: (first: Reader, second: Reader) => Promise<readonly (readonly [string, string])[]>;
  /** Why rows are not compared; undefined: they are. */
  withoutRows: string | undefined;
  signal: AbortSignal;
  update: (line: string) => void;
}

const MAX_LAG_S = 10;
const MAX_RUNNING = 25;

/** Given two servers, return reports on their schemas and on their rows. Throws where one of them cannot be asked, and `usage` where both are the same. */
export async function compareServers(
  one: ServicePlace,
  other: ServicePlace,
  options: ServersOptions,
): Promise<CheckReport[]> {
  const opened: Pick<Server, "close">[] = [];
  const open = (place: ServicePlace): Promise<Reader> =>
    openPlaceReader(place, options.signal, opened);
  try {
    const [first, second] = [await open(one), await open(other)];
    const databases = await options.pairDatabases(first, second);
    await refuseSame(first, second, databases);
    const pair: Pair = {
      names: [one.name, other.name],
      first,
      second,
      databases,
      ...(await findFollowing(first, second, options.signal)),
    };
    const schemas = await compareSchemas(pair, options);
    const rows = await compareAllRows(pair, options).catch((error: unknown) => {
      options.signal.throwIfAborted();
      return skippedWhole("rows", pair.names.join(" and "), describeWhy(error));
    });
    return [schemas, rows];
  } finally {
    for (const each of opened.toReversed()) await each.close();
  }
}

async function refuseSame(
  first: Reader,
  second: Reader,
  databases: readonly (readonly [string, string])[],
): Promise<void> {
  const [one, other] = [await readHealth(first.server), await readHealth(second.server)];
  const isOneServer = JSON.stringify(one.identity) === JSON.stringify(other.identity);
  if (isOneServer && databases.every(([here, there]) => here === there))
    throw new OperatorError("usage", "both names lead to one and the same server", {
      next: "name two servers, or two databases of it: SERVICE/DATABASE",
    });
}

/** Only where the second follows the first there is something to wait for; it may where its user is not told. */
async function findFollowing(
  first: Reader,
  second: Reader,
  signal: AbortSignal,
): Promise<Pick<Pair, "catchUp" | "patienceMs">> {
  const independent = { catchUp: undefined, patienceMs: 0 };
  const { identity } = await readHealth(first.server);
  const following = await readFollowing(second, identity["server_id"]);
  if (typeof following === "string")
    return { catchUp: undefined, patienceMs: patienceFor(undefined, MAX_LAG_S) };
  if (!following.isReceiving || !following.isApplying) return independent;
  if (following.source?.serverId !== identity["server_id"]) return independent;
  const catchUp = await findCatchUp(first, second, signal);
  return { catchUp, patienceMs: patienceFor(catchUp, MAX_LAG_S) };
}

async function compareSchemas(pair: Pair, { signal }: ServersOptions): Promise<CheckReport> {
  const draft = draftReport("schema", pair.names.join(" and "));
  for (const side of [0, 1] as const) {
    const session = side === 0 ? pair.first : pair.second;
    const databases = pair.databases.map((names) => names[side]);
    const { flavour } = session.server;
    await skipUnseenDefinitions({ name: pair.names[side], session, databases }, flavour, draft);
  }
  for (const [here, there] of pair.databases) {
    try {
      await compareSchema(
        { name: pair.names[0], session: pair.first, database: here },
        { name: pair.names[1], session: pair.second, database: there },
        draft,
      );
    } catch (error) {
      signal.throwIfAborted();
      draft.skip(`database ${here}`, describeWhy(error));
    }
  }
  return draft.end();
}

async function compareAllRows(pair: Pair, options: ServersOptions): Promise<CheckReport> {
  if (options.withoutRows !== undefined) return notConfigured("rows", options.withoutRows);
  const draft = draftReport("rows", pair.names.join(" and "));
  const { signal, update } = options;
  await compareDatabases({
    pair,
    draft,
    update,
    steer: makeSteer(() => [pair.first, pair.second], pair.catchUp, {
      signal,
      until: undefined,
      maxRunning: MAX_RUNNING,
      maxLagSeconds: MAX_LAG_S,
    }),
    exclude: new Set(),
    progress: { done: [] },
    save: () => undefined,
  });
  return draft.end();
}
