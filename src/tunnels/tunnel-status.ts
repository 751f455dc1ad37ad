/** What happens to a tunnel, in the order in which it happens. */
export type TunnelEvent = { name: string } & (
  | { event: "listening"; port: number }
  | { event: "connected"; address: string }
  /** The forward works, the service behind it does not answer; it is asked again. */
  | { event: "silent"; detail: string }
  /** The service has answered in its own protocol. */
  | { event: "ready"; port: number; url: string; detail: string }
  /** The connection is lost, or could not be made again: the next try follows. */
  | { event: "waiting"; reason: string; next: string | undefined; waitMs: number }
  /** Only the operator can mend it. */
  | { event: "failed"; reason: string; next: string | undefined }
);

/** A tunnel as `tunnel list` shows it. */
export interface TunnelStatus {
  name: string;
  /** `degraded`: the connection is up, the service does not answer. */
  state: "connecting" | "up" | "degraded" | "waiting" | "failed";
  /** ISO 8601, UTC. */
  since: string;
  port: number;
  url: string;
  host: string;
  /** The host's, as of the last connection. */
  address?: string;
  /** What clients have got and given. */
  receivedBytes: number;
  sentBytes: number;
  reconnects: number;
  /** What the service said when it was last asked, or why it did not. */
  health?: { answers: boolean; detail: string; at: string };
  /** Why it is not up. */
  reason?: string;
  /** What the operator can do about it. */
  next?: string;
  nextTryAt?: string;
}
