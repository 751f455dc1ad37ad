import type { Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { OperatorError, type ErrorKind } from "../system/errors.ts";
import type { TunnelEvent, TunnelStatus } from "./tunnel-status.ts";

/** Raised when a request or an answer changes its meaning: an older supervisor then says so instead of misunderstanding. */
export const PROTOCOL = 1;

/** What a supervisor says when it starts, on its standard output: it can be asked, or another one runs. Anything else is why it cannot. */
export const READY = "ready";
export const LOCKED = "locked";

/** A tunnel is known by its name in one configuration. */
interface Named {
  configPath: string;
  /** Empty: all of every configuration. */
  names: readonly string[];
}

/** What is asked of the supervisor: one JSON line on a connection of its own. */
export type ControlRequest = { protocol: number } & (
  | ({ ask: "open"; silenceLimitMs: number } & Named & Caller)
  | ({ ask: "retry" } & Named & Pick<Caller, "environment">)
  | ({ ask: "close" } & Named)
  | { ask: "list" }
);

/** Who asks: on whose behalf hosts are looked up and connected to. */
interface Caller {
  /** Of `--env`, `--profile`, `--region`. */
  wishes: { environment?: string; profile?: string; region?: string };
  /** The variables; they carry what the agent and AWS need, and stay in memory. */
  environment: NodeJS.ProcessEnv;
}

/** What the supervisor says: its pid at once, then lines, the last of which is an answer or an error. */
export type ControlLine =
  | { pid: number }
  | { event: TunnelEvent }
  | { answer: ControlAnswer }
  | { error: ControlError };

export interface ControlAnswer {
  /** The tunnels that were asked for, as they are now; of closed ones as they were. */
  tunnels: readonly SupervisedTunnel[];
}

export type SupervisedTunnel = TunnelStatus & {
  configPath: string;
  /** The supervisor's. */
  pid: number;
};

interface ControlError {
  kind: ErrorKind;
  message: string;
  next?: string;
  details: readonly string[];
}

/** Given the runtime folder, return where the supervisor listens. */
export function controlSocket(runtimeFolder: string): string {
  return join(runtimeFolder, "tunnels.sock");
}

/** Given a socket, return the lines that come over it; they end when it is closed, in whichever way. */
export async function* linesOf(socket: Socket): AsyncIterable<string> {
  const lines = createInterface({ input: socket });
  // readline itself waits for an orderly end only.
  socket.once("close", () => lines.close());
  // It emits the socket's errors anew: with nobody to hear them, a client that has gone would end the whole supervisor.
  lines.on("error", () => {});
  try {
    yield* lines;
  } catch (error) {
    if (error !== socket.errored) throw error;
  }
}

/** Given what a request has thrown, return it as it goes over the socket. */
export function packError(error: unknown): ControlError {
  if (!(error instanceof OperatorError))
    return {
      kind: "failed",
      message: error instanceof Error ? error.message : String(error),
      details: [],
    };
  const { kind, message, next, details } = error;
  return { kind, message, details, ...(next !== undefined && { next }) };
}

/** Given an error that came over the socket, return it as it was thrown there. */
export function unpackError({ kind, message, next, details }: ControlError): OperatorError {
  return new OperatorError(kind, message, { details, ...(next !== undefined && { next }) });
}
