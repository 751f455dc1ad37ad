import pLimit from "p-limit";
import { connectHost, type ReachOptions } from "../reach/connect-host.ts";
import { describeInOneLine } from "../system/errors.ts";
import { askHost } from "./ask-host.ts";
import { PLAN_SCRIPT } from "./host-scripts.ts";
import { paceJumps } from "./pace-jumps.ts";
import { type HostPlan, readHostPlan } from "./read-host-plan.ts";
import type { NamedHost } from "./run-on-hosts.ts";

/** A host, and what an upgrade would do to it, or why nobody knows. */
export type PlannedHost = NamedHost & ({ plan: HostPlan } | { unreached: string });

export interface GatherOptions {
  reach: ReachOptions;
  /** Hosts at the same time. */
  atOnce: number;
  /** Whether their lists of packages are brought up to date for it; without, nothing is changed there. */
  refreshes: boolean;
  onPlan: () => void;
}

/** Given hosts, ask each what an upgrade would do to it, so many at once, and return them in their order. Throws the reason of the reach's signal. */
export async function gatherPlans(
  hosts: readonly NamedHost[],
  { refreshes, ...options }: GatherOptions,
): Promise<PlannedHost[]> {
  const limit = pLimit(options.atOnce);
  const reach = paceJumps(options.reach);
  return Promise.all(
    hosts.map((named) =>
      limit(async (): Promise<PlannedHost> => {
        try {
          const connection = await connectHost(named.host, reach);
          try {
            const answer = await askHost(
              connection,
              PLAN_SCRIPT,
              refreshes ? "refresh" : "keep",
              reach.signal,
            );
            return { ...named, plan: readHostPlan(answer) };
          } finally {
            await connection.close();
          }
        } catch (error) {
          reach.signal.throwIfAborted();
          return { ...named, unreached: describeInOneLine(error) };
        } finally {
          options.onPlan();
        }
      }),
    ),
  );
}
