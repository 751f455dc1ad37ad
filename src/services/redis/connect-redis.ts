import { readFile } from "node:fs/promises";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import type { ServiceTls } from "../../reach/service-place.ts";
import { describeError, OperatorError } from "../../system/errors.ts";
import { explainFailure } from "./explain-failure.ts";
import { encodeCommand, makeReplyReader, RedisFailure, type Reply } from "./reply-reader.ts";

/** Where a Redis is reached from this machine, and as whom. */
export interface RedisPlace {
  /** Of the service. */
  name: string;
  host: string;
  port: number;
  user?: string;
  password?: string;
  /** Number of the database that is selected. */
  database: number;
  tls?: ServiceTls;
}

export type Words = readonly [command: string, ...rest: (string | Buffer)[]];

/** One connection, which does not come back by itself: what was under way when it is lost must be told, not repeated. */
export interface RedisClient {
  name: string;
  /** Send a command and return its answer; an error that it answers is thrown in our words. */
  send(...words: Words): Promise<Reply>;
  /** Send commands in one go and return their answers in order; errors among them are values. */
  sendAll(commands: readonly Words[]): Promise<Reply[]>;
  close(): void;
}

const CONNECT_LIMIT_MS = 10_000;
/** Longer than any command that is sent here takes; a link that swallows all is noticed by it. */
const SILENCE_LIMIT_MS = 30_000;

/** Given where a Redis is, connect, log in and select its database. Throws `access`, `unreachable` and `usage` in our words, and the signal's reason. */
export async function connectRedis(place: RedisPlace, signal: AbortSignal): Promise<RedisClient> {
  const { name, user, password, database } = place;
  signal.throwIfAborted();
  const client = converse(await openSocket(place, signal), name, signal);
  try {
    if (password !== undefined)
      await client.send("AUTH", ...(user === undefined ? [] : [user]), password);
    // The first thing that is refused without a login.
    if (database === 0) await client.send("PING");
    else await client.send("SELECT", String(database));
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

function converse(socket: Socket, name: string, signal: AbortSignal): RedisClient {
  type Waiting = { resolve: (reply: Reply) => void; reject: (error: unknown) => void };
  const waiting: Waiting[] = [];
  let end: unknown;
  const stop = (reason: unknown): void => {
    end ??= reason;
    socket.destroy();
    for (const { reject } of waiting.splice(0)) reject(end);
  };
  const lose = (why: string): void => stop(lost(name, why));
  const onAbort = (): void => stop(signal.reason);
  const read = makeReplyReader((reply) => waiting.shift()?.resolve(reply));
  signal.addEventListener("abort", onAbort);
  socket.setTimeout(SILENCE_LIMIT_MS, () => {
    if (waiting.length > 0) lose(`it has not answered for ${SILENCE_LIMIT_MS / 1000} s`);
  });
  socket.on("data", (piece: Buffer) => {
    try {
      read(piece);
    } catch (error) {
      stop(new OperatorError("failed", `${name}: ${describeError(error)}`));
    }
  });
  socket.on("end", () => lose("the connection was lost"));
  socket.on("error", (error) => lose(describeError(error)));
  socket.on("close", () => {
    signal.removeEventListener("abort", onAbort);
    lose("the connection was lost");
  });

  const sendAll = (commands: readonly Words[]): Promise<Reply[]> => {
    if (end !== undefined) return Promise.reject(end as Error);
    const answers = commands.map(
      () => new Promise<Reply>((resolve, reject) => waiting.push({ resolve, reject })),
    );
    socket.write(Buffer.concat(commands.map(encodeCommand)));
    return Promise.all(answers);
  };
  return {
    name,
    sendAll,
    send: async (...words) => {
      const [reply = null] = await sendAll([words]);
      if (reply instanceof RedisFailure) throw explainFailure(name, reply, words[0]);
      return reply;
    },
    close: () => stop(new OperatorError("failed", `${name}: closed`)),
  };
}

function lost(name: string, why: string): OperatorError {
  return new OperatorError("unreachable", `${name}: ${why}`, { next: "see lcops doctor" });
}

async function openSocket(place: RedisPlace, signal: AbortSignal): Promise<Socket> {
  const { name, host, port, tls } = place;
  const socket = tls ? await startTls(place, tls) : connectTcp({ host, port, noDelay: true });
  try {
    await new Promise<void>((resolve, reject) => {
      const limit = setTimeout(
        () => reject(new Error(`no connection within ${CONNECT_LIMIT_MS / 1000} s`)),
        CONNECT_LIMIT_MS,
      );
      const abort = (): void => reject(signal.reason as Error);
      signal.addEventListener("abort", abort);
      socket.once("close", () => {
        clearTimeout(limit);
        signal.removeEventListener("abort", abort);
        reject(new Error("the connection was closed at once"));
      });
      socket.once("error", reject);
      socket.once(tls ? "secureConnect" : "connect", () => {
        clearTimeout(limit);
        signal.removeEventListener("abort", abort);
        socket.removeListener("error", reject);
        resolve();
      });
    });
  } catch (error) {
    socket.on("error", () => undefined);
    socket.destroy();
    signal.throwIfAborted();
    throw lost(name, `${host}:${port}: ${describeError(error)}`);
  }
  return socket;
}

/** The certificate is that of the server's own name, wherever the tunnel to it begins. */
async function startTls({ name, host, port }: RedisPlace, tls: ServiceTls): Promise<Socket> {
  const { checkServerIdentity, connect } = await import("node:tls");
  const read = async (path: string | undefined): Promise<Buffer | undefined> => {
    if (path === undefined) return undefined;
    return readFile(path).catch((error: unknown) => {
      throw new OperatorError("access", `${name}: cannot read ${path}: ${describeError(error)}`);
    });
  };
  const [ca, cert, key] = await Promise.all([tls.ca, tls.certificate, tls.key].map(read));
  const { serverName } = tls;
  const socket = connect({
    host,
    port,
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(!isIP(serverName) && { servername: serverName }),
    checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
  });
  socket.setNoDelay(true);
  return socket;
}
