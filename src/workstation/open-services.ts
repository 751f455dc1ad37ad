import type { MachineServiceConfig } from "../config/workstation-schema.ts";
import { describeError } from "../system/errors.ts";
import { apacheModuleService } from "./apache-module.ts";
import { commandService } from "./command-service.ts";
import type { NamedService } from "./list-panel.ts";
import type { MachineService, MachineTools, Observation } from "./machine-service.ts";
import { mysqlVariableService } from "./mysql-variable.ts";
import { phpModuleService } from "./php-module.ts";
import { ramMysqlService } from "./ram-mysql.ts";
import { systemdService, sysvService } from "./system-service.ts";

export interface OpenService extends NamedService {
  service: MachineService;
}

export interface ServiceStatus {
  name: string;
  key: string;
  title: string;
  kind: MachineServiceConfig["kind"];
  state: Observation["state"];
  /** As its configuration has it, where what runs is older. */
  pending: Observation["pending"] | null;
  /** Of several, only some are so; `detail` tells them. */
  partly: boolean;
  detail: string | null;
}

/** Given the rows of the panel and what all of them work with, return them as what can be observed and changed. */
export function openServices(
  rows: readonly NamedService[],
  tools: Omit<MachineTools, "find">,
): OpenService[] {
  const opened: OpenService[] = [];
  const all: MachineTools = {
    ...tools,
    find: (name) => opened.find((one) => one.name === name),
  };
  for (const row of rows) opened.push({ ...row, service: open(row, all) });
  return opened;
}

function open({ name, config }: NamedService, tools: MachineTools): MachineService {
  switch (config.kind) {
    case "systemd":
      return systemdService(config.unit, tools);
    case "sysv":
      return sysvService(config.script, tools);
    case "php-module":
      return phpModuleService(config, tools);
    case "apache-module":
      return apacheModuleService(config, tools);
    case "mysql-variable":
      return mysqlVariableService(name, config, tools);
    case "ram-mysql":
      return ramMysqlService(name, config, tools);
    case "command":
      return commandService({ ...config, root: config.root === true }, tools);
  }
}

/** Given rows, return what each is now, all looked at at once. */
export function observeServices(rows: readonly OpenService[]): Promise<ServiceStatus[]> {
  return Promise.all(rows.map(observeService));
}

/** Given a row, return what it is now; what goes wrong while looking is why it is unknown. */
export async function observeService(row: OpenService): Promise<ServiceStatus> {
  const { name, key, title, config, service } = row;
  const seen = await service
    .observe()
    .catch((error: unknown): Observation => ({ state: "unknown", detail: describeError(error) }));
  return {
    name,
    key,
    title,
    kind: config.kind,
    state: seen.state,
    pending: seen.pending ?? null,
    partly: seen.partly === true,
    detail: seen.detail ?? null,
  };
}
