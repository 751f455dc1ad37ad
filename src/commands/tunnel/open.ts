import type { OpenTunnels, TunnelEvent } from "../../tunnels/open-tunnels.ts";
import { printable } from "../../system/printable.ts";
import type { Command, Context } from "../command.ts";

/** Where nobody watches, a service that stays silent for so long is an error. */
const SILENCE_LIMIT_MS = 60_000;

export const tunnelOpen: Command = {
  name: "tunnel open",
  summary: "Forward the ports of services to this machine, until Ctrl-C or while a command runs",
  operands: [{ syntax: "<name...>", description: "names of services" }],
  rest: "COMMAND to run while the tunnels are open; LCOPS_PORT is the port of the first",
  examples: [
    "tunnel open graphite",
    "tunnel open kibana elasticsearch",
    "tunnel open elasticsearch -- sh -c 'curl -s localhost:$LCOPS_PORT/_cat/indices'",
  ],
  danger: "reads",
  aws: true,
  returnsChildCode: (input) => input.rest !== undefined,
  async run(input, context) {
    const { planTunnels } = await import("../../tunnels/plan-tunnels.ts");
    const { openTunnels } = await import("../../tunnels/open-tunnels.ts");
    const { startProgress } = await import("../../terminal/progress.ts");
    const plans = planTunnels(await context.config(), await context.hosts(), input.operands);
    const progress = startProgress(context.terminal);
    progress.update(
      `connecting to ${[...new Set(plans.map((plan) => plan.host.name))].join(", ")}`,
    );
    let tunnels: OpenTunnels | undefined;
    try {
      tunnels = await openTunnels(plans, {
        ...(await context.reach()),
        runtimeFolder: context.folders.runtime,
        ...((input.rest !== undefined || !context.terminal.isScreen) && {
          silenceLimitMs: SILENCE_LIMIT_MS,
        }),
        report: (event) => {
          if (event.event === "ready" || event.event === "silent") progress.end();
          report(event, context, input.rest !== undefined);
        },
      });
      await tunnels.ready;
      progress.end();
      if (input.rest === undefined) {
        const reason = await untilEnd(tunnels, context.signal);
        if (reason) throw reason;
        return 0;
      }
      return await runWith(
        input.rest,
        plans.map((plan) => plan.localPort),
        tunnels,
        context,
      );
    } finally {
      progress.end();
      await tunnels?.close();
    }
  },
};

/** The address is the result; with a command, stdout belongs to that. */
function report(event: TunnelEvent, context: Context, hasCommand: boolean): void {
  const { terminal } = context;
  if (terminal.flags.json) {
    terminal.printEvent(event, hasCommand ? "stderr" : "stdout");
    return;
  }
  if (event.event === "silent") {
    terminal.warn(
      `${event.name}: the tunnel is up, the service is silent: ${printable(event.detail)}`,
    );
  } else if (event.event === "ready") {
    const line = `${event.name}  ${event.url}  ready (${printable(event.detail)})`;
    if (hasCommand) terminal.note(line);
    else if (!terminal.flags.quiet) terminal.print(line);
  } else {
    terminal.trace(`${event.name}: ${event.event}`);
  }
}

function untilEnd(tunnels: OpenTunnels, signal: AbortSignal): Promise<Error | undefined> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    tunnels.ended.then(resolve, reject);
  });
}

async function runWith(
  words: readonly string[],
  ports: readonly number[],
  tunnels: OpenTunnels,
  context: Context,
): Promise<number> {
  const { runInForeground } = await import("../../system/program.ts");
  const [program = "", ...args] = words;
  // `lcops` is this very program, whether or not it is on the PATH.
  const [executable, ...before] = program === "lcops" ? context.self : [program];
  void tunnels.ended.then((reason) => reason && context.terminal.warn(printable(reason.message)));
  return context.leaveSigintTo(async () =>
    runInForeground(executable, [...before, ...args], {
      signal: context.signal,
      ownGroup: !context.hasTerminal,
      environment: {
        ...(program === "lcops" ? context.environment : await context.childEnvironment()),
        LCOPS_PORT: String(ports[0]),
      },
    }),
  );
}
