import type { SupervisedTunnel } from "../../tunnels/control-protocol.ts";
import type { Command, Context } from "../command.ts";

export const tunnelList: Command = {
  name: "tunnel list",
  summary: "Show the tunnels in the background: state, address, bytes, health",
  examples: ["tunnel list", "tunnel list --json"],
  danger: "reads",
  async run(_input, context) {
    const { ask } = await import("./supervisor.ts");
    const answer = await ask({ ask: "list" }, context);
    await renderTunnels(answer?.tunnels ?? [], context);
    return 0;
  },
};

/** Given tunnels, show them as a table, or as one JSON document. */
export async function renderTunnels(
  tunnels: readonly SupervisedTunnel[],
  { terminal }: Pick<Context, "terminal">,
): Promise<void> {
  if (terminal.flags.json) {
    terminal.printJson(tunnels);
    return;
  }
  if (tunnels.length === 0) {
    terminal.note("no tunnel is kept in the background; lcops tunnel open --detach NAME opens one");
    return;
  }
  const { printTable } = await import("../../terminal/table.ts");
  const { describeAge, describeBytes } = await import("../../system/quantities.ts");
  const paints = {
    up: terminal.out.green,
    connecting: terminal.out.yellow,
    degraded: terminal.out.yellow,
    waiting: terminal.out.yellow,
    failed: terminal.out.red,
  };
  const now = Date.now();
  const since = (at: string): string => describeAge(now - Date.parse(at));
  printTable(terminal, tunnels, [
    { title: "NAME", value: (one) => one.name },
    { title: "STATE", value: (one) => one.state, paint: (text, one) => paints[one.state](text) },
    { title: "SINCE", value: (one) => since(one.since) },
    { title: "URL", value: (one) => one.url },
    { title: "HOST", value: (one) => one.host },
    { title: "ADDRESS", value: (one) => one.address ?? "" },
    { title: "DOWN", value: (one) => describeBytes(one.receivedBytes) },
    { title: "UP", value: (one) => describeBytes(one.sentBytes) },
    { title: "LOST", value: (one) => String(one.reconnects) },
    { title: "HEALTH", value: (one) => describeHealth(one, since) },
  ]);
}

function describeHealth(
  { health, reason }: SupervisedTunnel,
  since: (at: string) => string,
): string {
  if (reason !== undefined) return reason;
  if (!health) return "not asked yet";
  return `${health.detail}, ${since(health.at)} ago`;
}
