import type { PlannedHost } from "../../src/fleet/gather-plans.ts";
import type { HostPlan } from "../../src/fleet/read-host-plan.ts";
import type { NamedHost } from "../../src/fleet/run-on-hosts.ts";

export const nameHost = (label: string, environment?: string): NamedHost => ({
  label,
  host: { name: label, sources: ["config"], ...(environment !== undefined && { environment }) },
});

/** Returns a host with one package to upgrade, its plan changed as the test wants it. */
export const planHost = (
  label: string,
  plan: Partial<HostPlan> = {},
  environment?: string,
): PlannedHost => ({
  ...nameHost(label, environment),
  plan: {
    packages: ["openssl [1.1] (1.2 Debian:12 [amd64])"],
    held: [],
    freeKb: {},
    locks: [],
    wantsReboot: false,
    failedUnits: [],
    ...plan,
  },
});

export const loseHost = (label: string, unreached = `${label}: refused`): PlannedHost => ({
  ...nameHost(label),
  unreached,
});
