import { realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { SupervisorRequest } from "../../tunnels/ask-supervisor.ts";
import type { ControlAnswer } from "../../tunnels/control-protocol.ts";
import type { TunnelEvent } from "../../tunnels/tunnel-status.ts";
import { LOCKED, READY } from "../../tunnels/control-protocol.ts";
import { OperatorError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import type { Context } from "../command.ts";

const START_LIMIT_MS = 10_000;

/** Given a request, return the supervisor's answer; with `start` one is started where none runs, else undefined is returned then. */
export async function ask(
  request: SupervisorRequest,
  context: Context,
  options: { start?: boolean; report?: (event: TunnelEvent) => void } = {},
): Promise<ControlAnswer | undefined> {
  const { askSupervisor } = await import("../../tunnels/ask-supervisor.ts");
  return askSupervisor(request, {
    runtimeFolder: context.folders.runtime,
    signal: context.signal,
    ...(options.report && { report: options.report }),
    ...(options.start && { start: () => start(context) }),
  });
}

async function start(context: Context): Promise<void> {
  const { startDetached } = await import("../../system/program.ts");
  const [node, script = ""] = context.self;
  // Where npm has put it; on the PATH there is a link only.
  const folder = dirname(await realpath(script));
  const said = await startDetached(node, [join(folder, "supervise.js")], {
    environment: await context.childEnvironment(),
    timeoutMs: START_LIMIT_MS,
  });
  if (said === READY || said === LOCKED) return;
  throw new OperatorError(
    "failed",
    `the supervisor of the tunnels cannot start: ${printable(said)}`,
  );
}
