import { backupDrill } from "./backup/drill.ts";
import { backupGc } from "./backup/gc.ts";
import { backupList } from "./backup/list.ts";
import { backupPrune } from "./backup/prune.ts";
import { backupRestore } from "./backup/restore.ts";
import { backupRun } from "./backup/run.ts";
import { backupSchedule } from "./backup/schedule.ts";
import { backupStatus } from "./backup/status.ts";
import { backupVerify } from "./backup/verify.ts";
import type { Command } from "./command.ts";
import { completion } from "./completion.ts";
import { configCheck } from "./config/check.ts";
import { configInit } from "./config/init.ts";
import { configSchema } from "./config/schema.ts";
import { configShow } from "./config/show.ts";
import { dynCapacity } from "./dyn/capacity.ts";
import { dynDumpRow } from "./dyn/dump-row.ts";
import { dynDumpTable } from "./dyn/dump-table.ts";
import { dynEditRow } from "./dyn/edit-row.ts";
import { dynLoadTable } from "./dyn/load-table.ts";
import { dynTables } from "./dyn/tables.ts";
import { dynUndo } from "./dyn/undo.ts";
import { dynUploadRow } from "./dyn/upload-row.ts";
import { dbCheck } from "./db/check.ts";
import { dbCompare } from "./db/compare.ts";
import { doctor } from "./doctor.ts";
import { fleetRun } from "./fleet/run.ts";
import { fleetUpgrade } from "./fleet/upgrade.ts";
import { health } from "./health.ts";
import { help } from "./help.ts";
import { history } from "./history.ts";
import { hosts } from "./hosts.ts";
import { hostsTrust } from "./hosts/trust.ts";
import { machineLaunch } from "./machine/launch.ts";
import { machineLog } from "./machine/log.ts";
import { machine } from "./machine/machine.ts";
import { machineOff } from "./machine/off.ts";
import { machineOn } from "./machine/on.ts";
import { machineReset } from "./machine/reset.ts";
import { machineStatus } from "./machine/status.ts";
import { machineUpdate } from "./machine/update.ts";
import { menu } from "./menu.ts";
import { mysql } from "./mysql.ts";
import { redisConsole } from "./redis/console.ts";
import { redisFlush } from "./redis/flush.ts";
import { redisInfo } from "./redis/info.ts";
import { ssh } from "./ssh.ts";
import { tunnelClose } from "./tunnel/close.ts";
import { tunnelList } from "./tunnel/list.ts";
import { tunnelLogs } from "./tunnel/logs.ts";
import { tunnelOpen } from "./tunnel/open.ts";
import { tunnelRetry } from "./tunnel/retry.ts";

/** Every command, in the order of the help. It feeds the command line, the menu, the help and the completion. */
export const commands: readonly Command[] = [
  menu,
  hosts,
  hostsTrust,
  ssh,
  tunnelOpen,
  tunnelList,
  tunnelLogs,
  tunnelRetry,
  tunnelClose,
  mysql,
  dynTables,
  dynDumpTable,
  dynDumpRow,
  dynEditRow,
  dynUploadRow,
  dynUndo,
  dynLoadTable,
  dynCapacity,
  dbCheck,
  dbCompare,
  backupRun,
  backupList,
  backupVerify,
  backupRestore,
  backupDrill,
  backupPrune,
  backupGc,
  backupStatus,
  backupSchedule,
  redisInfo,
  redisFlush,
  redisConsole,
  fleetRun,
  fleetUpgrade,
  health,
  machine,
  machineStatus,
  machineOn,
  machineOff,
  machineReset,
  machineLog,
  machineLaunch,
  machineUpdate,
  configInit,
  configCheck,
  configShow,
  configSchema,
  doctor,
  history,
  completion,
  help,
];

/** What the first word of a command with two stands for, for the help. */
export const nouns: Readonly<Record<string, string>> = {
  backup: "Back services up, and prove that they can be restored",
  hosts: "List the hosts, and trust their keys",
  db: "Check that databases are consistent, and compare them",
  config: "Make, check and show the configuration",
  fleet: "Run one command, or one upgrade, over many hosts",
  machine: "Look after the developer's own machine",
  redis: "Look at a Redis, flush it without a surprise, open its console",
  dyn: "Dump, edit and load DynamoDB tables and rows",
  tunnel: "Forward the ports of services",
};
