import type { Config } from "../config/schema.ts";
import type { LaunchConfig } from "../config/workstation-schema.ts";

export interface NamedLaunch {
  name: string;
  /** Its key on the panel. */
  key: string;
  /** Its name on the panel. */
  title: string;
  config: LaunchConfig;
}

/** The three of statusMachine.sh: two plans beside each other, and Play's own way to run an app. */
const DEFAULTS: Readonly<Record<string, LaunchConfig>> = {
  ja: { kind: "jmeter", title: "API", plan: "~/jmeter/api.jmx" },
  jw: { kind: "jmeter", title: "WorkerStats", plan: "~/jmeter/worker-stats.jmx" },
  app: { kind: "app", run: ["sbt", "run"], url: "http://localhost:9000/" },
};

/** Given the configuration, return what the panel launches, in its order. Pure. */
export function listLaunches(config: Config): NamedLaunch[] {
  const all = Object.entries(config.workstation?.launches ?? DEFAULTS);
  return all.map(([name, launch]) => ({
    name,
    key: launch.key ?? name,
    title: launch.title ?? (launch.kind === "app" ? launch.url : name),
    config: launch,
  }));
}
