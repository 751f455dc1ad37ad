import { OperatorError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import type { Context } from "../command.ts";
import { ask } from "./supervisor.ts";

/** Given names of services, have their tunnels kept in the background, and return 0 once they are ready; those that are kept already stay. */
export async function openDetached(
  names: readonly string[],
  silenceLimitMs: number,
  context: Context,
): Promise<number> {
  const { startProgress } = await import("../../terminal/progress.ts");
  const { terminal, configPath } = context;
  const progress = startProgress(terminal);
  progress.update(`opening ${names.join(", ")}`);
  const answer = await ask(
    {
      ask: "open",
      configPath,
      names,
      wishes: context.scopeWishes,
      environment: await context.childEnvironment(),
      silenceLimitMs,
    },
    context,
    {
      start: true,
      report: (event) => {
        if (terminal.flags.json) terminal.printEvent(event);
        else if (event.event === "silent")
          terminal.warn(printable(`${event.name}: the service is silent: ${event.detail}`));
      },
    },
  ).finally(progress.end);
  const tunnels = answer?.tunnels ?? [];
  if (!terminal.flags.json && !terminal.flags.quiet) {
    for (const { name, url, state } of tunnels) {
      // Silent in cron when all is well: it says nothing new there.
      if (terminal.isScreen) terminal.print(`${name}  ${url}  ${state}, in the background`);
    }
  }
  const down = tunnels.filter(({ state }) => state !== "up");
  const [first] = down;
  if (!first) return 0;
  throw new OperatorError(
    "unreachable",
    `${first.name} is kept in the background, and ${first.state}: ${first.reason ?? first.health?.detail ?? ""}`,
    { next: first.next ?? `see lcops tunnel logs ${first.name}` },
  );
}
