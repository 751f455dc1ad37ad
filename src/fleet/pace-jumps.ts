import { setMaxListeners } from "node:events";
import pLimit from "p-limit";
import type { ReachOptions } from "../reach/connect-host.ts";

/** sshd(8) begins to drop connections that are not logged in yet from the tenth on (MaxStartups 10:30:100). */
export const LOGINS_AT_ONCE = 8;

/** Given how hosts are reached, return the same with at most eight logins through one jump host at the same time. */
export function paceJumps(reach: ReachOptions): ReachOptions {
  // Each host listens to it.
  setMaxListeners(0, reach.signal);
  const limits = new Map<string, ReturnType<typeof pLimit>>();
  return {
    ...reach,
    throughJump: (jump, connect) => {
      const limit = limits.get(jump) ?? pLimit(LOGINS_AT_ONCE);
      limits.set(jump, limit);
      return limit(connect);
    },
  };
}
