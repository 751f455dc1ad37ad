import { OperatorError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import type { LoggedEvent } from "../../tunnels/tunnel-log.ts";
import type { Command } from "../command.ts";
import { describeEvent } from "./show-events.ts";

export const tunnelLogs: Command = {
  name: "tunnel logs",
  summary: "Show what has happened to tunnels in the background",
  operands: [{ syntax: "<name...>", description: "names of services" }],
  examples: ["tunnel logs graphite", "tunnel logs graphite --json"],
  danger: "reads",
  async run(input, context) {
    const { readTunnelLog } = await import("../../tunnels/tunnel-log.ts");
    const { terminal } = context;
    const services = (await context.config()).services ?? {};
    const unknown = input.operands.find((name) => !Object.hasOwn(services, name));
    if (unknown !== undefined) {
      throw new OperatorError("usage", `there is no service ${unknown}`, {
        next: "see lcops tunnel list",
      });
    }
    const logs = await Promise.all(
      input.operands.map((name) => readTunnelLog(context.folders.state, context.configPath, name)),
    );
    if (terminal.flags.json) terminal.printJson(logs.flat());
    for (const [index, events] of logs.entries()) {
      const name = input.operands[index];
      if (events.length === 0) terminal.note(`${name} was never kept in the background`);
      if (terminal.flags.json) continue;
      for (const event of events)
        terminal.print(printable(`${event.at}  ${event.name}: ${describe(event)}`));
    }
    return 0;
  },
};

function describe(event: LoggedEvent): string {
  if (event.event === "note") return event.text;
  return event.event === "closed" ? "closed" : describeEvent(event);
}
