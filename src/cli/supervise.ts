import { setMaxListeners } from "node:events";
import { appendFileSync, mkdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import type { Context } from "../commands/command.ts";
import { findFolders, type Folders } from "../config/folders.ts";
import { connectHost } from "../reach/connect-host.ts";
import { describeError, errorCode, OperatorError } from "../system/errors.ts";
import { keepMemoryFlat } from "../system/keep-memory-flat.ts";
import { takeKernelLock } from "../system/kernel-lock.ts";
import { makeTerminal, type Terminal } from "../terminal/terminal.ts";
import { LOCKED, READY } from "../tunnels/control-protocol.ts";
import { planTunnels } from "../tunnels/plan-tunnels.ts";
import { superviseTunnels } from "../tunnels/supervise-tunnels.ts";
import type { OpenRequest, Prepared } from "../tunnels/tunnel-group.ts";
import { makeEnvironmentTurns, type WithEnvironment } from "./environment-turns.ts";
import { StopSignal } from "./exit-code-of.ts";
import { makeContext } from "./make-context.ts";

const CLOSE_LIMIT_MS = 3_000;

/** Keep the tunnels of `tunnel open --detach`; says on standard output how it has started (see `READY`). Returns the exit code, 6 where another one runs. */
export async function supervise(): Promise<number> {
  try {
    return await run();
  } catch (error) {
    say(describeError(error));
    return 1;
  }
}

/** Synchronously, since a process may end right behind it; whoever started this one may be gone long since. */
function say(line: string): void {
  try {
    writeSync(1, `${line}\n`);
  } catch (error) {
    if (errorCode(error) !== "EPIPE") throw error;
  }
}

async function run(): Promise<number> {
  process.title = "lcops: tunnels";
  keepMemoryFlat();
  const folders = findFolders(process.env);
  const release = await takeKernelLock(join(folders.runtime, "tunnels.lock"));
  if (!release) {
    say(LOCKED);
    return 6;
  }
  const stop = new AbortController();
  // Every tunnel listens to it.
  setMaxListeners(0, stop.signal);
  const end = (): void => {
    stop.abort(new StopSignal("SIGTERM"));
    setTimeout(() => process.exit(143), CLOSE_LIMIT_MS).unref();
  };
  for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, end);
  // It outlives the terminal that started it.
  process.on("SIGHUP", () => {});
  process.on("uncaughtExceptionMonitor", (error) => writeCrash(folders.state, error));
  const withEnvironment = makeEnvironmentTurns(process.env);
  await superviseTunnels({
    runtimeFolder: folders.runtime,
    stateFolder: folders.state,
    signal: stop.signal,
    listening: () => say(READY),
    prepare: (request, note) =>
      prepare(request, withEnvironment, (environment) =>
        openContext(request, note, { environment, folders, signal: stop.signal }),
      ),
  });
  await release();
  return 0;
}

/** Nobody sees what a process in the background says with its last breath. */
function writeCrash(stateFolder: string, error: Error): void {
  try {
    mkdirSync(join(stateFolder, "tunnels"), { recursive: true, mode: 0o700 });
    const line = `${new Date().toISOString()}  ${error.stack ?? error.message}\n`;
    appendFileSync(join(stateFolder, "tunnels", "supervisor.log"), line, { mode: 0o600 });
  } catch {
    // A full disk: there is nobody left to tell.
  }
}

/** Each dial reads the configuration anew, so that a mended one needs no restart; one that cannot be read leaves the last one in force. */
async function prepare(
  request: OpenRequest,
  withEnvironment: WithEnvironment,
  open: (environment: NodeJS.ProcessEnv) => Context,
): Promise<Prepared> {
  let { environment } = request;
  let context = open(environment);
  const plans = planTunnels(await context.config(), await context.hosts(), request.names);
  return {
    plans,
    adopt: (variables) => (environment = variables),
    dial: async (host, signal) => {
      const theirs = environment;
      const fresh = open(theirs);
      try {
        await fresh.config();
        context = fresh;
      } catch (error) {
        if (!(error instanceof OperatorError)) throw error;
      }
      const { rereadProfiles } = await import("../aws/list-profiles.ts");
      const current = (await context.hosts()).find(({ name }) => name === host.name) ?? host;
      const reach = await context.reach();
      const { lookUp, hostKeys } = reach;
      return connectHost(current, {
        ...reach,
        signal,
        lookUp: (hop) =>
          withEnvironment(theirs, async () => {
            await rereadProfiles();
            return lookUp(hop);
          }),
        ...(hostKeys && {
          hostKeys: {
            ...hostKeys,
            prove: (lookup) => withEnvironment(theirs, () => hostKeys.prove(lookup)),
          },
        }),
      });
    },
  };
}

function openContext(
  { configPath, wishes }: OpenRequest,
  note: (line: string) => void,
  own: { environment: NodeJS.ProcessEnv; folders: Folders; signal: AbortSignal },
): Context {
  const flags = { json: false, quiet: true, verbose: false, input: false, color: false };
  // Nobody reads along: what would be said goes to the log.
  const terminal: Terminal = {
    ...makeTerminal(process, own.environment, flags),
    note,
    warn: note,
    trace: () => {},
  };
  return makeContext({
    ...own,
    terminal,
    configPath,
    environmentFlag: wishes.environment,
    wishes,
    version: packageJson.version,
    commands: [],
    // A tunnel changes nothing of the estate.
    guard: { dryRun: false, yes: false },
    words: ["tunnel", "open", "--detach"],
    signals: {
      signal: own.signal,
      leaveSigintTo: (work) => work(),
      finishFirst: (work) => work(),
      hasTerminal: false,
    },
    runLcops: () => Promise.reject(new Error("the supervisor runs no command lines")),
    self: [process.execPath, process.argv[1] ?? ""],
  });
}
