import type { HealthState, Reading } from "../../system/reading.ts";
import type { SupervisedTunnel } from "../../tunnels/control-protocol.ts";
import type { Context } from "../command.ts";
import type { NamedService } from "../pick-services.ts";
import type { Source } from "./source.ts";

const LIMIT_MS = 5_000;
const EVERY_MS = 5_000;
const STATES: Record<SupervisedTunnel["state"], HealthState> = {
  up: "ok",
  connecting: "unknown",
  waiting: "warn",
  degraded: "fail",
  failed: "fail",
};

/** Given the services that are wanted, return what can be asked of their tunnels in the background; where none is open they have no readings. */
export function tunnelSources(services: readonly NamedService[], context: Context): Source[] {
  const names = new Set(services.map(([name]) => name));
  return [
    {
      area: "tunnel",
      name: "supervisor",
      limitMs: LIMIT_MS,
      everyMs: EVERY_MS,
      read: async () => {
        const { ask } = await import("../tunnel/supervisor.ts");
        const answer = await ask({ ask: "list" }, context);
        return (answer?.tunnels ?? [])
          .filter(({ name, configPath }) => configPath === context.configPath && names.has(name))
          .map(judgeTunnel);
      },
    },
  ];
}

/** Returns the reading of a tunnel in the background. Pure. */
export function judgeTunnel({
  name,
  state,
  since,
  url,
  reason,
  health,
}: SupervisedTunnel): Reading {
  const told = reason ?? health?.detail;
  return {
    area: "tunnel",
    name,
    state: STATES[state],
    detail: `${state} at ${url}${told === undefined ? "" : `: ${told}`}`,
    since,
    ...(health && { seenAt: health.at }),
    ...(state === "failed" && { next: `mend it, then lcops tunnel retry ${name}` }),
  };
}
