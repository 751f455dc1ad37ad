import pLimit from "p-limit";
import type { ReachOptions } from "../reach/connect-host.ts";

/** sshd(8) begins to drop connections that are not logged in yet from the tenth on (MaxStartups 10:30:100). */
const THROUGH_ONE = 8;

/** Given how hosts are reached, return the same with at most eight logins through one jump host at the same time. */
export function paceJumps(reach: ReachOptions): ReachOptions {
  const limits = new Map<string, ReturnType<typeof pLimit>>();
  return {
    ...reach,
    throughJump: (jump, connect) => {
      const limit = limits.get(jump) ?? pLimit(THROUGH_ONE);
      limits.set(jump, limit);
      return limit(connect);
    },
  };
}
