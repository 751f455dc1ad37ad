import type { Config } from "../config/schema.ts";
import type { LaunchConfig, MachineServiceConfig } from "../config/workstation-schema.ts";

export interface NamedService {
  name: string;
  /** Its key on the panel. */
  key: string;
  /** Its name on the panel. */
  title: string;
  config: MachineServiceConfig;
}

/** The six of statusMachine.sh, as Debian has them. */
const OLD_SERVICES: Readonly<Record<string, MachineServiceConfig>> = {
  apache: { kind: "systemd", unit: "apache2", title: "Apache2" },
  xdebug: { kind: "php-module", module: "xdebug", title: "mod_xdebug" },
  // APC became APCu.
  apc: { kind: "php-module", module: "apcu", title: "mod_apc" },
  mysql: { kind: "systemd", unit: "mariadb", title: "MySQL" },
  rammysql: { kind: "ram-mysql", title: "/rammysql" },
  log: {
    kind: "mysql-variable",
    variable: "general_log",
    with: { log_output: "FILE" },
    minutes: 10,
    title: "-log",
  },
};

/** Given the configuration, return what the panel shows, in its order. Pure. */
export function listServices(config: Config): NamedService[] {
  const all = Object.entries(config.workstation?.services ?? OLD_SERVICES);
  return all.map(([name, service], index) => ({
    name,
    key: service.key ?? String(index + 1),
    title: service.title ?? name,
    config: service,
  }));
}

export interface NamedLaunch {
  name: string;
  /** Its key on the panel. */
  key: string;
  /** Its name on the panel. */
  title: string;
  config: LaunchConfig;
}

/** The three of statusMachine.sh: two plans beside each other, and Play's own way to run an app. */
const OLD_LAUNCHES: Readonly<Record<string, LaunchConfig>> = {
  ja: { kind: "jmeter", title: "API", plan: "~/jmeter/api.jmx" },
  jw: { kind: "jmeter", title: "WorkerStats", plan: "~/jmeter/worker-stats.jmx" },
  app: { kind: "app", run: ["sbt", "run"], url: "http://localhost:9000/" },
};

/** Given the configuration, return what the panel launches, in its order. Pure. */
export function listLaunches(config: Config): NamedLaunch[] {
  const all = Object.entries(config.workstation?.launches ?? OLD_LAUNCHES);
  return all.map(([name, launch]) => ({
    name,
    key: launch.key ?? name,
    title: launch.title ?? (launch.kind === "app" ? launch.url : name),
    config: launch,
  }));
}
