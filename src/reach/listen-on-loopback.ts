import { createServer, type Server, type Socket } from "node:net";
import { errorCode, OperatorError } from "../system/errors.ts";
import { findPortHolder } from "../system/port-holder.ts";

export interface LoopbackListener {
  port: number;
  /** Stop accepting; sockets that were accepted are the caller's. */
  close(): Promise<void>;
}

/**
 * Given a port (0: any free one), accept connections to it on 127.0.0.1 and, where this machine has it, ::1, which browsers try first
 * for `localhost`. Sockets are handed over paused, half-open allowed. Throws `refused` with the port's holder where it is taken.
 */
export async function listenOnLoopback(
  port: number,
  accept: (socket: Socket) => void,
): Promise<LoopbackListener> {
  const first = await listen(port, "127.0.0.1", accept);
  const bound = (first.address() as { port: number }).port;
  // With any free port, ::1 may hold another program's; then 127.0.0.1 alone has to do.
  const second = await listen(bound, "::1", accept).catch((error: unknown) => {
    const code = errorCode(error);
    if (port === 0 || code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT") return undefined;
    first.close();
    throw error;
  });
  return {
    port: bound,
    close: async () => {
      // Both at once: whoever comes to the other meanwhile would have to be waited for.
      await Promise.all((second ? [first, second] : [first]).map(closeServer));
    },
  };
}

function listen(port: number, host: string, accept: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(
      // The buffer is that of Node 22: Node 20's is full with every packet of a download.
      { allowHalfOpen: true, pauseOnConnect: true, noDelay: true, highWaterMark: 64 * 1024 },
      accept,
    );
    server.once("error", (error) => {
      describeBusyPort(error, port).then(reject, reject);
    });
    server.listen({ port, host, exclusive: true }, () => resolve(server));
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

async function describeBusyPort(error: Error, port: number): Promise<unknown> {
  if (errorCode(error) === "EACCES") {
    return new OperatorError("refused", `port ${port} is for root only`, {
      next: "give the service a localPort above 1023",
      cause: error,
    });
  }
  if (errorCode(error) !== "EADDRINUSE") return error;
  const holder = await findPortHolder(port);
  return new OperatorError(
    "refused",
    `port ${port} is held by ${holder ? `${holder.program} (pid ${holder.pid})` : "another user's program"}`,
    { next: "end it, or give the service another localPort", cause: error },
  );
}
