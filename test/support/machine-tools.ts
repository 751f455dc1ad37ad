/** The tools of the panel's services, without a machine. */
import type {
  MachineService,
  MachineTools,
  Observation,
} from "../../src/workstation/machine-service.ts";

/** Returns tools; each may be given. */
export function makeTools(more: Partial<MachineTools> = {}): MachineTools {
  return {
    environment: { PATH: process.env["PATH"] ?? "" },
    signal: new AbortController().signal,
    stateFolder: "/nowhere/state",
    cacheFolder: "/nowhere/cache",
    update: () => undefined,
    find: () => undefined,
    ...more,
  };
}

/** Returns a server that was seen so, and is restarted by a command line. */
export function makeServer(seen: Observation, restart?: readonly string[]): MachineService {
  return {
    observe: () => Promise.resolve(seen),
    plan: () => Promise.reject(new Error("nobody was to plan that")),
    ...(restart && { restart: [restart] }),
  };
}
