import { connect, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { errorCode, OperatorError } from "../system/errors.ts";
import {
  type ControlAnswer,
  type ControlLine,
  type ControlRequest,
  controlSocket,
  linesOf,
  PROTOCOL,
  unpackError,
} from "./control-protocol.ts";
import type { TunnelEvent } from "./tunnel-status.ts";

/** A request before it says which version of them it speaks. */
export type SupervisorRequest = Unversioned<ControlRequest>;
type Unversioned<Request> = Request extends unknown ? Omit<Request, "protocol"> : never;

export interface AskOptions {
  runtimeFolder: string;
  signal: AbortSignal;
  /** Told of what happens meanwhile. */
  report?: (event: TunnelEvent) => void;
  /** Start a supervisor; resolves once it listens, or another one does. Absent: without one there is no answer. */
  start?: () => Promise<void>;
}

/**
 * A supervisor that ends with its last tunnel, or is killed, may do so just when it is asked, and take a connection in the middle of it;
 * one whose socket was taken away puts it back within five seconds.
 */
const PATIENCE_MS = 8_000;
const PAUSE_MS = 100;

/** Given a request, return the supervisor's answer, or undefined where none runs and none is to be started. Throws what the request threw there. */
export async function askSupervisor(
  request: SupervisorRequest,
  options: AskOptions,
): Promise<ControlAnswer | undefined> {
  let sinceMs: number | undefined;
  for (;;) {
    const socket = await dial(controlSocket(options.runtimeFolder));
    const answer = socket && (await converse(socket, { ...request, protocol: PROTOCOL }, options));
    if (answer || !options.start) return answer;
    options.signal.throwIfAborted();
    sinceMs ??= performance.now();
    if (performance.now() - sinceMs > PATIENCE_MS) {
      throw new OperatorError("failed", "the supervisor of the tunnels does not answer", {
        next: 'it is the process "lcops: tunnels": end it with kill',
      });
    }
    if (socket) await wait(PAUSE_MS);
    else await options.start();
  }
}

/** One that was stopped, or hangs, does not say even its pid. */
const FIRST_WORD_LIMIT_MS = 5_000;

/** Returns undefined where nobody listens: there is no socket, or one that a dead supervisor left behind. */
function dial(path: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("connect", () => resolve(socket));
    socket.once("error", (error) => {
      if (["ENOENT", "ECONNREFUSED"].includes(errorCode(error) ?? "")) resolve(undefined);
      else {
        reject(
          new OperatorError("failed", `the supervisor of the tunnels: ${error.message}`, {
            next: `see who owns ${path}`,
            cause: error,
          }),
        );
      }
    });
  });
}

/** Returns undefined where the supervisor ended without a word. */
async function converse(
  socket: Socket,
  request: ControlRequest,
  { signal, report }: AskOptions,
): Promise<ControlAnswer | undefined> {
  const abort = (): void => void socket.destroy();
  signal.addEventListener("abort", abort);
  socket.on("error", () => socket.destroy());
  let isSilent = false;
  const limit = setTimeout(() => {
    isSilent = true;
    socket.destroy();
  }, FIRST_WORD_LIMIT_MS);
  try {
    signal.throwIfAborted();
    socket.write(`${JSON.stringify(request)}\n`);
    for await (const text of linesOf(socket)) {
      clearTimeout(limit);
      const line = JSON.parse(text) as ControlLine;
      if ("event" in line) report?.(line.event);
      else if ("error" in line) throw unpackError(line.error);
      else if ("answer" in line) return line.answer;
    }
    signal.throwIfAborted();
    if (!isSilent) return undefined;
    throw new OperatorError("failed", "the supervisor of the tunnels does not answer", {
      next: 'it is the process "lcops: tunnels": let it go on (kill -CONT), or end it (kill -9)',
    });
  } finally {
    clearTimeout(limit);
    signal.removeEventListener("abort", abort);
    socket.destroy();
  }
}
