import { lstat } from "node:fs/promises";
import { carryOutSteps, type Step } from "./carry-out-steps.ts";
import type { MachineChange, MachineTools, Observation, Wish } from "./machine-service.ts";
import { hasLoaded, readStartTime } from "./read-process.ts";
import { OperatorError } from "../system/errors.ts";

/** A module that a server loads when it starts, and how Debian's programs configure it. */
export interface LoadedModule {
  /** Its library, `xdebug.so`. */
  library: string;
  /** The link that has it loaded. */
  link: string;
  /** What Debian's programs leave when an administrator disables it. */
  mark: string;
  enable: Step;
  disable: Step;
  /** Says whether the server would start. */
  test: Step | undefined;
}

/** Given a module and the row of its server, return what the server that runs has of it, and whether it is configured otherwise. */
export async function observeModule(
  module: LoadedModule,
  serverName: string,
  server: Observation,
): Promise<Observation> {
  const linkedAt = await changedAt(module.link);
  const configured: Wish = linkedAt === undefined ? "off" : "on";
  if (server.state !== "on") return { state: configured, detail: `${serverName} is not running` };
  const running = await observeRunning(module, server.pid, linkedAt);
  if (running === undefined)
    return {
      state: configured,
      detail: `as configured; the process of ${serverName} is not known`,
    };
  if (running === configured) return { state: running };
  return {
    state: "on",
    pending: configured,
    detail:
      configured === "on"
        ? `enabled, and ${serverName} has not loaded it yet`
        : `disabled, and ${serverName} still has it loaded`,
  };
}

/** What it has loaded is what the kernel says; of another user's process the times tell. */
async function observeRunning(
  { library, mark }: LoadedModule,
  pid: number | undefined,
  linkedAt: number | undefined,
): Promise<Wish | undefined> {
  if (pid === undefined) return undefined;
  const loaded = await hasLoaded(pid, library);
  if (loaded !== undefined) return loaded ? "on" : "off";
  const startedAt = await readStartTime(pid);
  if (startedAt === undefined) return undefined;
  if (linkedAt !== undefined) return linkedAt > startedAt ? "off" : "on";
  const disabledAt = await changedAt(mark);
  return disabledAt !== undefined && disabledAt > startedAt ? "on" : "off";
}

async function changedAt(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).ctimeMs;
  } catch {
    return undefined;
  }
}

/**
 * Given a module, what is wished and what was seen, return the change: configure, test, restart the server, and look whether it has it. Where one of
 * them fails the module is configured as before, and the server started again.
 */
export function planModule(
  module: LoadedModule,
  to: Wish,
  seen: Observation,
  options: {
    serverName: string;
    /** Of a server that runs. */
    restart: readonly Step[];
    observe: () => Promise<Observation>;
    tools: MachineTools;
  },
): MachineChange {
  const { serverName, restart, observe, tools } = options;
  const [change, back] =
    to === "on" ? [module.enable, module.disable] : [module.disable, module.enable];
  const isConfigured = (seen.pending ?? seen.state) === to;
  const test = module.test && restart.length > 0 ? [module.test] : [];
  const steps = [...(isConfigured ? [] : [change]), ...test, ...restart];
  return {
    lines: steps.map((step) => step.join(" ")),
    danger: "writes",
    undo: back.join(" "),
    run: () =>
      carryOutSteps(steps, {
        environment: tools.environment,
        // A server that was not restarted yet runs on as it was: with a configuration that it refuses it would not come back.
        rollback: (begun) => {
          if (isConfigured) return [];
          return begun > 1 + test.length ? [back, ...restart] : [back];
        },
        check: async () => {
          const now = await observe();
          if (now.state === to && now.pending === undefined) return;
          throw new OperatorError(
            "failed",
            to === "on"
              ? `${serverName} was restarted and has not loaded ${module.library}`
              : `${serverName} was restarted and still has ${module.library} loaded`,
          );
        },
      }),
  };
}
