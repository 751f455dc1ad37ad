import { startProgress } from "../../terminal/progress.ts";
import { printTable } from "../../terminal/table.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { observeServices, type ServiceStatus } from "../../workstation/open-services.ts";
import type { Context } from "../command.ts";
import { describeState } from "./describe-state.ts";
import { openPanel } from "./open-panel.ts";

/** Do what `lcops machine status` says and return the exit code. */
export async function runStatus(
  context: Pick<Context, "terminal" | "config" | "childEnvironment" | "signal" | "folders">,
): Promise<number> {
  const progress = startProgress(context.terminal);
  progress.update("looking at this machine");
  const rows = await openPanel(context);
  const statuses = await observeServices(rows).finally(progress.end);
  if (context.terminal.flags.json) context.terminal.printJson(statuses);
  else printStatuses(statuses, context.terminal);
  return 0;
}

/** Given what was seen, print it as a table. */
function printStatuses(statuses: readonly ServiceStatus[], terminal: Terminal): void {
  printTable(terminal, statuses, [
    { title: "NAME", value: ({ name }) => name },
    { title: "SERVICE", value: ({ title }) => title },
    { title: "STATE", value: describeState, paint: (text, row) => paintState(row, terminal)(text) },
    { title: "WHAT", value: ({ detail }) => detail ?? "" },
  ]);
}

/** Given what was seen, return how it is painted. */
function paintState(
  { state, pending, partly }: Pick<ServiceStatus, "state" | "pending" | "partly">,
  { out }: Pick<Terminal, "out">,
): (text: string) => string {
  if (pending !== null || partly || state === "starting") return out.yellow;
  return { on: out.green, failed: out.red, unknown: out.yellow }[state as "on"] ?? out.dim;
}
