import type { HealthState, Reading } from "../../system/reading.ts";

/** One machine behind a load balancer. */
export interface Member {
  name: string;
  state: "well" | "unwell" | "unknown";
  detail: string;
}

/** Given what stands behind a load balancer, return how that is: fail where none is well, warn where some are not, unknown where nobody can say. Pure. */
export function judgeMembers(name: string, members: readonly Member[]): Reading {
  const of = (state: Member["state"]): Member[] => members.filter((one) => one.state === state);
  const [well, unwell, unknown] = [of("well"), of("unwell"), of("unknown")];
  const state: HealthState =
    unwell.length > 0
      ? well.length === 0
        ? "fail"
        : "warn"
      : members.length === 0 || unknown.length > 0
        ? "unknown"
        : "ok";
  const bad = [...unwell, ...unknown].map((one) => `${one.name} ${one.detail}`);
  const count =
    members.length === 0 ? "nothing is registered" : `${well.length} of ${members.length} healthy`;
  return { area: "balancer", name, state, detail: [count, ...bad].join("; ") };
}
