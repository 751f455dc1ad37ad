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
    for (const name of input.operands) {
      const events = Object.hasOwn(services, name)
        ? await readTunnelLog(context.folders.state, name)
        : undefined;
      if (!events) {
        throw new OperatorError("usage", `there is no log of a tunnel ${name}`, {
          next: "one in the background writes it: lcops tunnel open --detach",
        });
      }
      for (const event of events) {
        if (terminal.flags.json) terminal.printEvent(event);
        else terminal.print(printable(`${event.at}  ${event.name}: ${describe(event)}`));
      }
    }
    return 0;
  },
};

function describe(event: LoggedEvent): string {
  if (event.event === "note") return event.text;
  return event.event === "closed" ? "closed" : describeEvent(event);
}
