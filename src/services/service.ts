import type { KindSettings, ServiceConfig } from "../config/schema.ts";
import type { Endpoint, ServicePlace } from "../reach/service-place.ts";
import type { Reading } from "../system/reading.ts";
import type { BackupDriver } from "./backup-driver.ts";

/**
 * A kind of service: how it is configured, and what it can tell lcops. Each kind's folder declares it, and is the only code that knows its
 * protocol. The declaration is loaded with the configuration, so what costs time is loaded by `backup`, `health` and the probe itself.
 */
export interface ServiceType<C extends ServiceConfig = ServiceConfig> extends KindSettings<C> {
  /** Returns whether a service is of this kind. Pure. */
  is(service: ServiceConfig | undefined): service is C;
  /** Scheme of its address for a person: what to give a browser or a client. */
  scheme: "http" | "tcp";
  /** Whether it may be asked again and again while nobody uses it: no server of that kind holds it against the asker. */
  isAskedWhileIdle: boolean;
  /** Area of its readings in `lcops health`; absent: the name of the kind. */
  area?: string;
  /** Noun for what is counted of it; absent: row. */
  counts?: string;
  /** Whether its health tells of other things on its host, which an upgrade heeds; absent: it does not. */
  watchesHost?: true;
  /** Whether its sets are also restored into a folder of this machine; absent: they are not. */
  fitsFolder?: true;
  /**
   * Asks it something in its own protocol and returns whether it answers. A server that answers but wants credentials answers. Never throws
   * but for the aborted signal.
   */
  probe(endpoint: Endpoint, service: C, limits: ProbeLimits): Promise<ProbeResult>;
  /** Whether it answers, of a kind that is reached by no port; `probe` is for all others. */
  answers?(place: ServicePlace<C>, signal: AbortSignal): Promise<boolean>;
  /** Loads how it is backed up; absent: lcops cannot. */
  backup?(): Promise<BackupDriver<C>>;
  /** Loads how it is asked how it is; absent: whether it answers is all that can be known. */
  health?(): Promise<HealthReader<C>>;
}

/** Returns the kind that a folder declares. Pure. */
export function serviceType<C extends ServiceConfig>(
  declared: Omit<ServiceType<C>, "is">,
): ServiceType<C> {
  return { ...declared, is: (service): service is C => service?.kind === declared.kind };
}

export interface HealthReader<C extends ServiceConfig = ServiceConfig> {
  /**
   * Returns how a service is, and how what it watches is: what it says of itself, not what it is thought to be.
   * Throws OperatorError where it cannot be asked, `unreachable` where it is not there.
   */
  readHealth(place: HealthPlace<C>, signal: AbortSignal): Promise<Reading[]>;
}

export type HealthPlace<C extends ServiceConfig = ServiceConfig> = Pick<
  ServicePlace<C>,
  "name" | "config" | "endpoint" | "password" | "tls"
>;

export interface ProbeLimits {
  timeoutMs: number;
  signal: AbortSignal;
}

export interface ProbeResult {
  answers: boolean;
  /** What it said of itself, or why it does not answer; not yet made printable. */
  detail: string;
}
