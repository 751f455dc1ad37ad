import type { Config } from "../config/schema.ts";
import type { MachineServiceConfig } from "../config/workstation-schema.ts";

export interface NamedService {
  name: string;
  /** Its key on the panel. */
  key: string;
  /** Its name on the panel. */
  title: string;
  config: MachineServiceConfig;
}

/** The six of statusMachine.sh, as Debian has them. */
const DEFAULTS: Readonly<Record<string, MachineServiceConfig>> = {
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
  const all = Object.entries(config.workstation?.services ?? DEFAULTS);
  return all.map(([name, service], index) => ({
    name,
    key: service.key ?? String(index + 1),
    title: service.title ?? name,
    config: service,
  }));
}
