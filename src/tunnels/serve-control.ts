import { chmod, mkdir, rm, stat } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { OperatorError } from "../system/errors.ts";
import {
  type ControlAnswer,
  type ControlLine,
  type ControlRequest,
  linesOf,
  packError,
  PROTOCOL,
} from "./control-protocol.ts";

export interface ControlServer {
  close(): Promise<void>;
}

/** Answers a request; `gone` fires when the asker has left. */
export type Answer = (
  request: ControlRequest,
  tell: (line: ControlLine) => void,
  gone: AbortSignal,
) => Promise<ControlAnswer>;

/** A socket that somebody has taken away (a cleaner of temporary folders) is put back. */
const LOOK_AFTER_MS = 5_000;

/** sockaddr_un of Linux, and of the others: what is longer is cut off without a word, by Node too. */
const LONGEST_PATH_BYTES = process.platform === "linux" ? 107 : 103;

/** Who connects asks at once. */
const REQUEST_LIMIT_MS = 5_000;

/** Given the path of a socket on which nobody else listens, answer requests on it; it is for this user alone. Throws `configuration` for a path that no socket may have. */
export async function serveControl(path: string, answer: Answer): Promise<ControlServer> {
  const sockets = new Set<Socket>();
  const accept = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    void converse(socket, answer);
  };
  let server = await listen(path, accept);
  let inode = await inodeOf(path);
  const timer = setInterval(() => {
    void (async () => {
      if ((await inodeOf(path)) === inode) return;
      server.close();
      server = await listen(path, accept);
      inode = await inodeOf(path);
    })().catch(() => undefined);
  }, LOOK_AFTER_MS).unref();
  return {
    close: async () => {
      clearInterval(timer);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(path, { force: true });
      // What was answered is still sent; who has only connected asks the next supervisor.
      for (const socket of sockets) socket.destroySoon();
      await closed;
    },
  };
}

async function listen(path: string, accept: (socket: Socket) => void): Promise<Server> {
  if (Buffer.byteLength(path) > LONGEST_PATH_BYTES) {
    throw new OperatorError(
      "configuration",
      `${path} is too long a path for a socket; give XDG_STATE_HOME a shorter one`,
    );
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await rm(path, { force: true });
  const server = createServer(accept);
  // The folder is 0700; between the socket's making and its mode nobody else can reach it.
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  try {
    await chmod(path, 0o600);
  } catch (error) {
    // It would keep the supervisor running.
    server.close();
    throw error;
  }
  return server;
}

async function inodeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ ino }) => ino,
    () => undefined,
  );
}

async function converse(socket: Socket, answer: Answer): Promise<void> {
  const gone = new AbortController();
  const limit = setTimeout(() => socket.destroy(), REQUEST_LIMIT_MS);
  socket.on("error", () => socket.destroy());
  socket.on("close", () => {
    clearTimeout(limit);
    gone.abort(new OperatorError("cancelled", "who asked for it has left"));
  });
  const tell = (line: ControlLine): void => {
    if (socket.writable) socket.write(`${JSON.stringify(line)}\n`);
  };
  try {
    for await (const line of linesOf(socket)) {
      clearTimeout(limit);
      // The supervisor is ending: nothing must be begun for a client that it has hung up on.
      if (!socket.writable) break;
      tell({ pid: process.pid });
      tell({ answer: await answer(readRequest(line), tell, gone.signal) });
      break;
    }
  } catch (error) {
    tell({ error: packError(error) });
  }
  socket.end();
}

function readRequest(line: string): ControlRequest {
  const request = JSON.parse(line) as ControlRequest;
  if (request.protocol === PROTOCOL) return request;
  throw new OperatorError(
    "refused",
    `the tunnels in the background are kept by another version of lcops (pid ${process.pid})`,
    { next: `end it with kill ${process.pid}, then open the tunnels again` },
  );
}
