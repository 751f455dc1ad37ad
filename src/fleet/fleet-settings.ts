import type { Config } from "../config/schema.ts";

/** How many hosts are worked on together, how long, and what may go wrong. */
export interface FleetSettings {
  /** Hosts at the same time. */
  atOnce: number;
  /** Past it a command is left to itself. */
  limitMs: number;
  /** Hosts of an upgrade that may be lost before no further one is begun; of the canaries none. */
  maxFailures: number;
  /** Whether hosts that want a reboot get one. */
  reboots: boolean;
  /** Past it a host whose upgrade does not end, or that does not come back, is unknown. */
  patienceMs: number;
  /** How long upgraded hosts are left to work before others follow. */
  soakMs: number;
}

/** Given the configuration, return its settings of the fleet, what is not set as `lcops.config.example.json` says. Pure. */
export function readFleetSettings({ fleet = {} }: Config): FleetSettings {
  return {
    atOnce: fleet.atOnce ?? 20,
    limitMs: (fleet.limitSeconds ?? 600) * 1000,
    maxFailures: fleet.maxFailures ?? 1,
    reboots: fleet.reboot === true,
    patienceMs: (fleet.upgradeMinutes ?? 60) * 60_000,
    soakMs: (fleet.soakSeconds ?? 30) * 1000,
  };
}
