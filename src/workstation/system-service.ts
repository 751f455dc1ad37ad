import { existsSync } from "node:fs";
import { type ProgramResult, runProgram } from "../system/program.ts";
import { carryOutSteps, type Step } from "./carry-out-steps.ts";
import type { MachineService, MachineTools, Observation, Wish } from "./machine-service.ts";
import { readPidFile } from "./read-process.ts";
import { systemEnvironment } from "./run-as-root.ts";

const PROBE_LIMIT_MS = 5_000;

/** sd_booted(3). */
const SYSTEMD_RUNS = "/run/systemd/system";

/** Given a unit of systemd, return it as a service of the panel; where no systemd runs (a container, WSL) its SysV script stands for it. */
export function systemdService(unit: string, tools: MachineTools): MachineService {
  if (!existsSync(SYSTEMD_RUNS)) return sysvService(unit.replace(/\.service$/, ""), tools);
  return {
    observe: () => observeUnit(unit, tools),
    plan: (to, seen) =>
      planSteps([["systemctl", to === "on" ? "start" : "stop", unit]], to, seen, tools, [
        ["systemctl", "restart", unit],
      ]),
    restart: [["systemctl", "restart", unit]],
  };
}

/** Given a script of /etc/init.d, return it as a service of the panel. */
export function sysvService(script: string, tools: MachineTools): MachineService {
  return {
    observe: () => observeScript(script, tools),
    plan: (to, seen) =>
      planSteps([["service", script, to === "on" ? "start" : "stop"]], to, seen, tools),
    restart: [["service", script, "restart"]],
  };
}

function planSteps(
  change: readonly Step[],
  to: Wish,
  { state, pending }: Observation,
  { environment }: MachineTools,
  restart: readonly Step[] = [],
) {
  // Its configuration has changed since: to have it on is to start it anew.
  const steps = pending === "on" && to === "on" && state === "on" ? restart : change;
  return Promise.resolve({
    lines: steps.map((step) => step.join(" ")),
    danger: "writes" as const,
    undo: to === "on" ? "lcops machine off" : "lcops machine on",
    run: () => carryOutSteps(steps, { environment }),
  });
}

const PROPERTIES = [
  "LoadState",
  "ActiveState",
  "SubState",
  "Result",
  "NeedDaemonReload",
  "MainPID",
];

/** systemctl(1), show: what it is now, whatever was asked for. */
async function observeUnit(
  unit: string,
  { environment, signal }: MachineTools,
): Promise<Observation> {
  const { code, stdout, stderr } = await runProgram(
    "systemctl",
    ["show", `--property=${PROPERTIES.join(",")}`, "--", unit],
    { environment: systemEnvironment(environment), signal, timeoutMs: PROBE_LIMIT_MS },
  );
  if (code !== 0)
    return { state: "unknown", detail: stderr.trim() || `systemctl ended with ${code}` };
  return judgeUnit(stdout);
}

/** Returns the state of a unit, given what `systemctl show` says of its properties. Pure. */
export function judgeUnit(stdout: string): Observation {
  const of = (name: string): string => new RegExp(`^${name}=(.*)$`, "m").exec(stdout)?.[1] ?? "";
  if (of("LoadState") === "not-found") return { state: "not installed" };
  if (of("LoadState") === "masked") return { state: "off", detail: "masked" };
  const pid = Number(of("MainPID"));
  const known = pid > 0 ? { pid } : {};
  switch (of("ActiveState")) {
    case "active":
    case "reloading":
      return of("NeedDaemonReload") === "yes"
        ? { state: "on", pending: "on", detail: "its unit has changed since", ...known }
        : { state: "on", ...known };
    case "activating":
      return { state: "starting", detail: of("SubState"), ...known };
    case "failed":
      return { state: "failed", detail: of("Result") };
    case "deactivating":
      return { state: "on", detail: "stopping", ...known };
    default:
      return { state: "off" };
  }
}

/** Linux Standard Base, Init Script Actions: what `status` ends with. */
async function observeScript(
  script: string,
  { environment, signal }: MachineTools,
): Promise<Observation> {
  if (!existsSync(`/etc/init.d/${script}`)) return { state: "not installed" };
  const { code, stdout, stderr } = await runProgram("service", [script, "status"], {
    environment: systemEnvironment(environment),
    signal,
    timeoutMs: PROBE_LIMIT_MS,
  });
  if (code === 0) {
    // Debian's FPM keeps those of all its versions in one folder.
    const folder = /^php\d\.\d+-fpm$/.test(script) ? "php" : script;
    const pid =
      (await readPidFile(`/run/${folder}/${script}.pid`)) ??
      (await readPidFile(`/run/${script}.pid`));
    return { state: "on", ...(pid !== undefined && { pid }) };
  }
  return judgeStopped(script, { code, stdout, stderr });
}

/** Returns the state of a script whose `status` has not ended with 0. Pure. */
export function judgeStopped(script: string, { code, stdout, stderr }: ProgramResult): Observation {
  if (code === 3) return { state: "off" };
  const said = (stderr.trim() || stdout.trim()).split("\n").at(-1) ?? "";
  if (code === 1 || code === 2) return { state: "failed", detail: said };
  return { state: "unknown", detail: said || `service ${script} status ended with ${code}` };
}
