import type { BackupDriver, ServicePlace } from "./backup-driver.ts";

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
}

/** Where a service is reached from this machine. */
export interface Endpoint {
  host: string;
  port: number;
}

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
