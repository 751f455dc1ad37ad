import type { Reading } from "../system/reading.ts";
import type { BackupDriver } from "./backup-driver.ts";
import type { Endpoint, ServicePlace } from "../reach/service-place.ts";

/** What every kind of service can tell lcops; each kind's folder is the only code that knows its protocol. */
export interface ServiceType {
  /** Scheme of its address for a person: what to give a browser or a client. */
  scheme: "http" | "tcp";
  /** Whether it may be asked again and again while nobody uses it: no server of that kind holds it against the asker. */
  isAskedWhileIdle: boolean;
  /**
   * Given where the service is reached, ask it something in its own protocol and return whether it answers.
   * A server that answers but wants credentials answers. Never throws but for the aborted signal.
   */
  probe(endpoint: Endpoint, options: ProbeOptions): Promise<ProbeResult>;
  /** Whether it answers, of a kind that is reached by no port; `probe` is for all others. */
  answers?: (place: ServicePlace, signal: AbortSignal) => Promise<boolean>;
  /** How it is backed up, loaded only for that; absent: lcops cannot. */
  backup?: () => Promise<BackupDriver>;
  /** How it is asked how it is, loaded only for that; absent: whether it answers is all that can be known. */
  health?: () => Promise<ReadHealth>;
}

/**
 * Given a service and the ways to it, return how it is, and how what it watches is: what it says of itself, not what it is thought to be.
 * Throws OperatorError where it cannot be asked, `unreachable` where it is not there.
 */
export type ReadHealth = (place: HealthPlace, signal: AbortSignal) => Promise<Reading[]>;

export type HealthPlace = Pick<ServicePlace, "name" | "config" | "endpoint" | "password" | "tls">;

export interface ProbeOptions {
  /** Page to ask for, where the kind has pages. */
  path?: string;
  /** Whether it is spoken to over TLS, where the kind may be. */
  tls?: boolean;
  timeoutMs: number;
  signal: AbortSignal;
}

export interface ProbeResult {
  answers: boolean;
  /** What it said of itself, or why it does not answer; not yet made printable. */
  detail: string;
}
