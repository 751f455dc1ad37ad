import type { ServicePlace } from "../../reach/service-place.ts";
import { openServer, type Server, type Session } from "./open-server.ts";

/** A connection on which nothing can be written, and on which two servers say the same of the same bytes. */
export interface Reader extends Session {
  server: Server;
  /** The longest text that one question may gather; see `hashRange`. */
  gatherBytes: number;
}

const GATHER_BYTES = 16 * 1024 * 1024;
/** A question that takes longer is ended by the server. */
const STATEMENT_LIMIT_S = 60;
/** What has not come long after that does not come: the link was cut, and nobody was told. */
export const ANSWER_MS = (STATEMENT_LIMIT_S + 15) * 1000;
/** We give way to a change of a table's definition, and not it to us. */
const LOCK_WAIT_S = 3;

/**
 * Given a server, return a further connection for comparing: read-only, in UTC (the text of a TIMESTAMP is that of the session's zone), with
 * no mode that changes how a value is printed (PAD_CHAR_TO_FULL_LENGTH), and limits of time that are ours.
 */
export async function openReader(server: Server): Promise<Reader> {
  const session = await server.connect();
  try {
    const [row] = await session.query("SELECT @@max_allowed_packet AS packet");
    // MySQL manual, GROUP_CONCAT(): what it returns is never longer than a packet.
    const gatherBytes = Math.min(GATHER_BYTES, Number(row?.["packet"]));
    const limit =
      server.flavour === "mariadb"
        ? `max_statement_time = ${STATEMENT_LIMIT_S}`
        : `max_execution_time = ${STATEMENT_LIMIT_S * 1000}`;
    await session.query(
      `SET SESSION time_zone = '+00:00', sql_mode = '', group_concat_max_len = ${gatherBytes}, lock_wait_timeout = ${LOCK_WAIT_S}, ${limit}`,
    );
    await session.query("SET SESSION TRANSACTION READ ONLY");
    return { ...session, server, gatherBytes };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Connects to the server of a place, and returns a reader of it. Both are put into `opened`, for the caller to close. */
export async function openPlaceReader(
  place: ServicePlace,
  signal: AbortSignal,
  opened: Pick<Server, "close">[],
): Promise<Reader> {
  const server = await openServer(place, { signal, answerMs: ANSWER_MS });
  opened.push(server);
  const reader = await openReader(server);
  opened.push(reader);
  return reader;
}
