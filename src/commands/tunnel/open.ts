import type { TunnelHub } from "../../tunnels/tunnel-hub.ts";
import type { OpenTunnels } from "../../tunnels/open-tunnels.ts";
import type { TunnelPlan } from "../../tunnels/plan-tunnels.ts";
import { OperatorError } from "../../system/errors.ts";
import { untilAborted } from "../../system/until-aborted.ts";
import { printable } from "../../system/printable.ts";
import type { Command, Context, Input } from "../command.ts";

/** Where nobody watches, a service that stays silent for so long is an error. */
const SILENCE_LIMIT_MS = 60_000;

export const tunnelOpen: Command = {
  name: "tunnel open",
  summary: "Forward the ports of services to this machine, until Ctrl-C or while a command runs",
  operands: [{ syntax: "<name...>", description: "names of services" }],
  options: [
    {
      flags: "--detach",
      description: "return once they are ready, and keep them in the background",
    },
  ],
  rest: "COMMAND to run while the tunnels are open; LCOPS_PORT is the port of the first",
  examples: [
    "tunnel open graphite",
    "tunnel open --detach kibana elasticsearch",
    "tunnel open elasticsearch -- sh -c 'curl -s localhost:$LCOPS_PORT/_cat/indices'",
  ],
  danger: "reads",
  aws: true,
  returnsChildCode: (input) => input.rest !== undefined,
  async run(input, context) {
    const { planTunnels } = await import("../../tunnels/plan-tunnels.ts");
    const plans = planTunnels(await context.config(), await context.hosts(), input.operands);
    if (input.options["detach"] === true) return detach(input, context);
    return input.rest === undefined
      ? withTunnels(plans, context, false, (tunnels) => untilEnd(tunnels, context))
      : runWith(input.rest, plans, context);
  },
};

async function detach(input: Input, context: Context): Promise<number> {
  if (input.rest !== undefined) {
    throw new OperatorError("usage", "with a command the tunnels live as long as it does", {
      next: "leave --detach out",
    });
  }
  const { openDetached } = await import("./open-detached.ts");
  return openDetached(input.operands, SILENCE_LIMIT_MS, context);
}

async function withTunnels<T>(
  plans: readonly TunnelPlan[],
  context: Context,
  hasCommand: boolean,
  use: (tunnels: OpenTunnels) => Promise<T>,
): Promise<T> {
  const { openTunnels } = await import("../../tunnels/open-tunnels.ts");
  const { makeTunnelHub } = await import("../../tunnels/tunnel-hub.ts");
  const { connectHost } = await import("../../reach/connect-host.ts");
  const { startProgress } = await import("../../terminal/progress.ts");
  const { keepMemoryFlat } = await import("../../system/keep-memory-flat.ts");
  keepMemoryFlat();
  const { showEvents } = await import("./show-events.ts");
  const { terminal, signal } = context;
  const progress = startProgress(terminal);
  progress.update(`connecting to ${[...new Set(plans.map((plan) => plan.host.name))].join(", ")}`);
  const show = showEvents(terminal, hasCommand);
  const hub: TunnelHub = makeTunnelHub(signal);
  let tunnels: OpenTunnels | undefined;
  try {
    const reach = await context.reach();
    tunnels = await openTunnels(hub, plans, {
      configPath: context.configPath,
      runtimeFolder: context.folders.runtime,
      dial: (host, dialSignal) => connectHost(host, { ...reach, signal: dialSignal }),
      signal,
      trace: (name, line) => terminal.trace(`${name}: ${line}`),
      ...((hasCommand || !terminal.isScreen) && { silenceLimitMs: SILENCE_LIMIT_MS }),
      report: (event) => {
        if (event.event !== "listening" && event.event !== "connected") progress.end();
        show(event);
      },
    });
    await Promise.race([tunnels.ready, untilAborted(signal)]);
    progress.end();
    return await use(tunnels);
  } finally {
    progress.end();
    await tunnels?.close();
  }
}

async function untilEnd({ failed }: OpenTunnels, { signal, outputGone }: Context): Promise<number> {
  throw await Promise.race([failed, untilAborted(signal), untilAborted(outputGone)]);
}

/** A tunnel that is open already serves the command as well. */
async function runWith(
  words: readonly string[],
  plans: readonly TunnelPlan[],
  context: Context,
): Promise<number> {
  const { runInForeground } = await import("../../system/program.ts");
  const { findOpenPort } = await import("../../reach/port-record.ts");
  const [program = "", ...args] = words;
  // `lcops` is this very program, whether or not it is on the PATH.
  const [executable, ...before] = program === "lcops" ? context.self : [program];
  const isOpen = await Promise.all(
    plans.map(async ({ name, host, target, localPort }) => {
      const identity = { configPath: context.configPath, name, host: host.name, target };
      return (await findOpenPort(context.folders.runtime, identity))?.port === localPort;
    }),
  );
  const run = async (tunnels?: OpenTunnels): Promise<number> => {
    void tunnels?.failed.then(({ message }) => context.terminal.warn(printable(message)));
    return context.leaveSigintTo(async () =>
      runInForeground(executable, [...before, ...args], {
        signal: context.signal,
        ownGroup: !context.hasTerminal,
        environment: {
          ...(program === "lcops" ? context.environment : await context.childEnvironment()),
          LCOPS_PORT: String(plans[0]?.localPort),
        },
      }),
    );
  };
  const closed = plans.filter((_plan, index) => !isOpen[index]);
  return closed.length === 0 ? run() : withTunnels(closed, context, true, run);
}
