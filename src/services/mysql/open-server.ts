import { connect as openSocket } from "node:net";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { describeError, errorCode, OperatorError } from "../../system/errors.ts";
import type { MysqlLogin } from "./option-file.ts";
import type { ServicePlace } from "../../reach/service-place.ts";

/** Of what lcops asks for, nothing is of another type. */
export type Row = Record<string, string | number | null | undefined>;

/** A server that can be asked. */
export interface Server {
  login: MysqlLogin;
  flavour: "mysql" | "mariadb";
  /** `10.11.14`, `8.0.36`. */
  version: string;
  /** Tells it from any other. */
  id: string;
  /** Rows as objects; values as text, numbers where they are safe. */
  query(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** A further connection, for a transaction or a lock of its own; the server is asked on. */
  connect(): Promise<Session>;
  close(): Promise<void>;
}

export type Session = Pick<Server, "query" | "close">;

/** What ends a question that nobody answers, and all connections of its server with it; without either it is waited for as long as the kernel waits. */
export interface AnswerLimits {
  signal?: AbortSignal;
  /** Longer than anything that is asked may take. */
  answerMs?: number;
}

/**
 * Given where a server is, connect to it. Throws `access` and `unreachable` in our words, and the reason of the signal once that has cut its connections.
 */
export async function openServer(
  place: Pick<ServicePlace, "name" | "config" | "endpoint" | "password">,
  limits: AnswerLimits = {},
): Promise<Server> {
  const { config } = place;
  const { host, port } = await place.endpoint();
  const password = await place.password();
  const login: MysqlLogin = {
    host,
    port,
    ...(config.user !== undefined && { user: config.user }),
    ...(password !== undefined && { password }),
  };
  const first = await openSession(login, place.name, limits);
  try {
    const [about = {}] = await first.query(
      "SELECT @@version AS version, @@version_comment AS comment, @@server_id AS server_id, @@hostname AS host, @@port AS port, @@datadir AS folder",
    );
    const text = String(about["version"]);
    const flavour = /mariadb/i.test(text + String(about["comment"])) ? "mariadb" : "mysql";
    return {
      login,
      flavour,
      version: /^\d+\.\d+\.\d+/.exec(text)?.[0] ?? text,
      id: await identify(first, about),
      query: first.query,
      connect: () => openSession(login, place.name, limits),
      close: first.close,
    };
  } catch (error) {
    await first.close();
    throw error;
  }
}

/** MySQL has a UUID; of a MariaDB a hash of what tells it from others, since it goes into manifests. */
async function identify(session: Session, about: Row): Promise<string> {
  const [uuid] = await session.query("SHOW GLOBAL VARIABLES LIKE 'server_uuid'");
  if (uuid?.["Value"] !== undefined) return String(uuid["Value"]);
  const { createHash } = await import("node:crypto");
  return createHash("sha256").update(JSON.stringify(about)).digest("hex").slice(0, 32);
}

const CONNECT_TIMEOUT_MS = 10_000;

async function openSession(
  login: MysqlLogin,
  name: string,
  { signal, answerMs }: AnswerLimits,
): Promise<Session> {
  const { createConnection } = await import("mysql2/promise");
  signal?.throwIfAborted();
  const { host, port, user, password } = login;
  // Of our own, since only who has it can cut it: the library's end of a connection waits for the other side.
  const socket = openSocket({ host, port, noDelay: true, keepAlive: true });
  const cut = (): void => void socket.destroy(new Error("it was cut"));
  signal?.addEventListener("abort", cut, { once: true });
  const explainEnd = (error: unknown): unknown =>
    signal?.aborted ? signal.reason : explain(error, name);
  /** Of a connection that is lost the library says afterwards only that it is closed. */
  let lost: unknown;
  let connection: Connection;
  try {
    connection = await createConnection({
      stream: () => socket,
      ...(user !== undefined && { user }),
      ...(password !== undefined && { password }),
      charset: "utf8mb4",
      connectTimeout: CONNECT_TIMEOUT_MS,
      supportBigNumbers: true,
      bigNumberStrings: false,
      dateStrings: true,
    });
  } catch (error) {
    signal?.removeEventListener("abort", cut);
    socket.destroy();
    throw explainEnd(error);
  }
  // A connection that is lost between two questions fails the next one.
  connection.on("error", (error: unknown) => void (lost ??= error));
  return {
    query: async (sql, values = []) => {
      const late =
        answerMs === undefined
          ? undefined
          : setTimeout(() => socket.destroy(lateError(answerMs)), answerMs);
      try {
        const [rows] = await connection.query<RowDataPacket[] | RowDataPacket[][]>(sql, [
          ...values,
        ]);
        // A procedure answers with a list of answers, its own status behind them.
        const [first] = Array.isArray(rows) ? rows : [];
        if (Array.isArray(first)) return first as Row[];
        return Array.isArray(rows) ? (rows as Row[]) : [];
      } catch (error) {
        if (socket.destroyed) lost ??= error;
        throw explainEnd(lost ?? error);
      } finally {
        clearTimeout(late);
      }
    },
    close: async () => {
      signal?.removeEventListener("abort", cut);
      await connection.end().catch(() => connection.destroy());
      // A server behind a link that swallows all never hears of it: the process does not wait for that.
      socket.unref();
    },
  };
}

const lateError = (answerMs: number): Error =>
  Object.assign(new Error(`it has not answered for ${answerMs / 1000} s`), { code: "ETIMEDOUT" });

const DENIED = new Set([
  "ER_ACCESS_DENIED_ERROR",
  "ER_DBACCESS_DENIED_ERROR",
  "ER_TABLEACCESS_DENIED_ERROR",
  "ER_SPECIFIC_ACCESS_DENIED_ERROR",
  "ER_PROCACCESS_DENIED_ERROR",
]);
const NOT_THERE = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ETIMEDOUT",
  "ENOTFOUND",
  "PROTOCOL_CONNECTION_LOST",
]);

function explain(error: unknown, name: string): OperatorError {
  const code = errorCode(error) ?? "";
  const kind = DENIED.has(code) ? "access" : NOT_THERE.has(code) ? "unreachable" : "failed";
  return new OperatorError(kind, `${name}: ${describeError(error)}`, {
    cause: error,
    ...(kind === "access" && {
      next: "look at the user and its grants, and at the password's reference",
    }),
    ...(kind === "unreachable" && { next: "see lcops doctor" }),
  });
}

/** Given a name, return it as SQL has it. Pure. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}
