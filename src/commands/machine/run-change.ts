import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describeError, OperatorError } from "../../system/errors.ts";
import { takeKernelLock } from "../../system/kernel-lock.ts";
import { printable } from "../../system/printable.ts";
import { startProgress } from "../../terminal/progress.ts";
import type { MachineChange, Observation } from "../../workstation/machine-service.ts";
import {
  observeService,
  type OpenService,
  type ServiceStatus,
} from "../../workstation/open-services.ts";
import type { Context } from "../command.ts";
import { describeState } from "./describe-state.ts";
import { openPanel, pickService } from "./open-panel.ts";

export type Change = "on" | "off" | "reset";

const VERIFY_LIMIT_MS = 15_000;
const LOOK_AGAIN_MS = 200;

type ChangeContext = Pick<
  Context,
  | "terminal"
  | "config"
  | "childEnvironment"
  | "signal"
  | "folders"
  | "gate"
  | "journal"
  | "finishFirst"
>;

/** Given what is wished and the name of a service, do what `lcops machine on|off|reset` says and return the exit code. */
export async function runChange(to: Change, name: string, context: ChangeContext): Promise<number> {
  let progress = startProgress(context.terminal);
  const rows = await openPanel(context, (line) => progress.update(`${name}: ${printable(line)}`));
  const row = pickService(rows, name);
  const release = await takeLock(name, context);
  try {
    progress.update(`${name}: looking at it`);
    const seen = await row.service.observe();
    refuseUnusable(row, seen);
    if (to !== "reset" && seen.state === to && seen.pending === undefined && !seen.partly)
      return await tell(row, `${name} is ${to} already, nothing to do`, context);
    const change = await planChange(row, to, seen);
    progress.end();
    const plan = {
      title: to === "reset" ? `reset ${name}` : `turn ${name} ${to}`,
      target: name,
      isProduction: false,
      lines: change.lines,
      danger: change.danger,
      ...(change.undo !== undefined && { undo: nameUndo(change.undo, name) }),
    };
    if (!(await context.gate(plan))) return 0;
    progress = startProgress(context.terminal);
    progress.update(plan.title);
    await carryOut(row, to, change, context);
    progress.end();
    return await tell(row, undefined, context);
  } finally {
    progress.end();
    await release();
  }
}

/** A service says what undoes it; of which row it does not know. */
function nameUndo(undo: string, name: string): string {
  return /^lcops machine (on|off)$/.test(undo) ? `${undo} ${name}` : undo;
}

async function takeLock(
  name: string,
  { folders }: Pick<Context, "folders">,
): Promise<() => Promise<void>> {
  const folder = join(folders.state, "machine");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const release = await takeKernelLock(join(folder, `${name}.lock`));
  if (release) return release;
  throw new OperatorError("locked", `another run changes ${name}`, { next: "wait for it to end" });
}

function refuseUnusable({ name, config }: OpenService, { state, detail }: Observation): void {
  const why = detail === undefined ? "" : `: ${detail}`;
  if (state === "not installed") {
    throw new OperatorError("missing", `${name} is not installed${why}`, {
      next: `install it, or say in workstation.services what is here instead (${config.kind})`,
    });
  }
  if (state === "unknown") {
    throw new OperatorError("failed", `what ${name} is cannot be told${why}`, {
      next: "mend that first; nothing was done",
    });
  }
}

async function planChange(
  { name, service }: OpenService,
  to: Change,
  seen: Observation,
): Promise<MachineChange> {
  if (to !== "reset") return service.plan(to, seen);
  if (service.planReset) return service.planReset(seen);
  throw new OperatorError("usage", `${name} has nothing to be reset to`, {
    next: "only a MySQL in memory has",
  });
}

async function carryOut(
  row: OpenService,
  to: Change,
  change: MachineChange,
  context: ChangeContext,
): Promise<void> {
  const { name } = row;
  const record = await context.journal({
    change: to === "reset" ? `reset ${name}` : `turn ${name} ${to}: ${change.lines.join("; ")}`,
    ...(change.undo !== undefined && {
      undo: { kind: "machine", name, to: to === "on" ? "off" : "on" },
    }),
  });
  const { signal, terminal } = context;
  const tellWait = (): void => terminal.warn(`lcops: ${name}: it is finished first, or taken back`);
  signal.addEventListener("abort", tellWait);
  try {
    // A restart may fail after lcops was stopped: somebody must be there to take it back.
    await context.finishFirst(change.run);
    signal.removeEventListener("abort", tellWait);
    await verify(row, to === "off" ? "off" : "on", signal);
    await record.end({ state: "done" });
  } catch (error) {
    await record.end({
      state: signal.aborted ? "unknown" : "failed",
      detail: describeError(error),
    });
    // Of what failed while it was to stop nobody else tells.
    if (signal.aborted && error !== signal.reason)
      terminal.warn(printable(`lcops: ${name}: ${describeError(error)}`));
    throw error;
  } finally {
    signal.removeEventListener("abort", tellWait);
  }
}

/** That a command ended well does not mean that the service has come up, or stays. */
async function verify(row: OpenService, wanted: "on" | "off", signal: AbortSignal): Promise<void> {
  const limit = performance.now() + VERIFY_LIMIT_MS;
  for (;;) {
    const { state, pending, partly, detail } = await observeService(row);
    signal.throwIfAborted();
    if (state === wanted && pending === null && !partly) return;
    // One that has failed before stays so for systemd, and does not run.
    if (state === "failed" && wanted === "off") return;
    if (state === "failed" || performance.now() > limit) {
      const why = detail === null ? "" : `: ${detail}`;
      throw new OperatorError(
        "failed",
        `${row.name} is ${describeState({ state, pending, partly })}${why}`,
        {
          next: "look into its own log",
        },
      );
    }
    await wait(LOOK_AGAIN_MS);
  }
}

async function tell(
  row: OpenService,
  line: string | undefined,
  { terminal }: Pick<Context, "terminal">,
): Promise<number> {
  const status: ServiceStatus = await observeService(row);
  if (terminal.flags.json) terminal.printJson(status);
  else {
    const { title, detail } = status;
    const now = `${title} = ${describeState(status)}${detail === null ? "" : `, ${detail}`}`;
    terminal.note(printable(line ?? now));
  }
  return 0;
}
