import { lstat } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { carryOutSteps, type Step } from "./carry-out-steps.ts";
import type { MachineChange, MachineService, Observation, Wish } from "./machine-service.ts";
import { hasLoaded, readStartTime } from "./read-process.ts";
import { OperatorError } from "../system/errors.ts";

/** A script may end before what it starts has said so. */
const LIMIT_MS: Partial<Record<Observation["state"], number>> = { starting: 15_000, off: 3_000 };
const LOOK_AGAIN_MS = 200;

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

/** A module, and the server that is to load it. */
export interface ServedModule {
  module: LoadedModule;
  /** As people know it. */
  serverName: string;
  server: MachineService;
}

/** Given a module and its server, return what the server that runs has of it, and whether it is configured otherwise. */
export async function observeModule({
  module,
  serverName,
  server: service,
}: ServedModule): Promise<Observation> {
  const server = await service.observe();
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
 * Given modules with their servers and what is wished, return the change: configure, test, restart the servers, and look whether they have it. What is
 * so already is left alone. Where one of them fails all are configured as before, and the servers that were restarted once more.
 */
export async function planModules(
  all: readonly ServedModule[],
  to: Wish,
  environment: NodeJS.ProcessEnv,
): Promise<MachineChange> {
  const plans = (await Promise.all(all.map((served) => planModule(served, to)))).flat();
  const toConfigure = plans.filter(({ isConfigured }) => !isConfigured);
  const changes = toConfigure.map(({ change }) => change);
  const tests = plans.flatMap(({ test }) => test);
  const restarts = plans.flatMap(({ restart }) => restart);
  const steps = [...changes, ...tests, ...restarts];
  return {
    lines: steps.map((step) => step.join(" ")),
    danger: "writes",
    undo: plans.map(({ back }) => back.join(" ")).join("; "),
    run: () =>
      carryOutSteps(steps, {
        environment,
        rollback: (begun) => {
          const backs = toConfigure.slice(0, begun).map(({ back }) => back);
          if (backs.length === 0) return [];
          // A server that was not restarted yet runs on as it was: with a configuration that it refuses it would not come back.
          const restarted = Math.max(0, begun - changes.length - tests.length);
          return [...backs, ...restarts.slice(0, restarted)];
        },
        check: async () => {
          for (const { served, restart } of plans) {
            if (restart.length > 0) await refuseStopped(served);
            await refuseUnchanged(served, to);
          }
        },
      }),
  };
}

/** Nothing where all is so already. */
async function planModule(served: ServedModule, to: Wish) {
  const { module, server } = served;
  const seen = await observeModule(served);
  if (seen.state === to && seen.pending === undefined) return [];
  const isRunning = (await server.observe()).state === "on";
  const restart = isRunning ? (server.restart ?? []) : [];
  const [change, back] =
    to === "on" ? [module.enable, module.disable] : [module.disable, module.enable];
  const test = module.test && restart.length > 0 ? [module.test] : [];
  const isConfigured = (seen.pending ?? seen.state) === to;
  return [{ served, isConfigured, change, back, test, restart }];
}

/** That it was restarted does not mean that it stays. */
async function refuseStopped({ serverName, server }: ServedModule): Promise<void> {
  const begin = performance.now();
  for (;;) {
    const { state, detail } = await server.observe();
    if (state === "on") return;
    if (performance.now() - begin > (LIMIT_MS[state] ?? 0)) {
      const why = detail === undefined ? "" : `: ${detail}`;
      throw new OperatorError("failed", `${serverName} was restarted and does not run${why}`);
    }
    await wait(LOOK_AGAIN_MS);
  }
}

async function refuseUnchanged(served: ServedModule, to: Wish): Promise<void> {
  const now = await observeModule(served);
  if (now.state === to && now.pending === undefined) return;
  const { serverName, module } = served;
  throw new OperatorError(
    "failed",
    to === "on"
      ? `${serverName} was restarted and has not loaded ${module.library}`
      : `${serverName} was restarted and still has ${module.library} loaded`,
  );
}
