import { OperatorError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import type { Command } from "../command.ts";
import { renderTunnels } from "./list.ts";

export const tunnelRetry: Command = {
  name: "tunnel retry",
  summary: "Connect tunnels in the background again now, after a sign-in or a mended configuration",
  operands: [{ syntax: "[name...]", description: "names of services; none: all" }],
  examples: ["tunnel retry", "tunnel retry graphite"],
  danger: "reads",
  async run(input, context) {
    const { configPath } = context;
    const { ask } = await import("./supervisor.ts");
    const answer = await ask(
      {
        ask: "retry",
        configPath,
        names: input.operands,
        environment: await context.childEnvironment(),
      },
      context,
    );
    const [name] = input.operands;
    if (!answer && name !== undefined) {
      throw new OperatorError("usage", `no tunnel ${name} is kept in the background`, {
        next: "open it with lcops tunnel open --detach",
      });
    }
    const tunnels = answer?.tunnels ?? [];
    await renderTunnels(tunnels, context);
    const down = tunnels.filter(({ state }) => state === "failed" || state === "waiting");
    for (const { name, reason, next } of down)
      context.terminal.warn(printable([`${name}: ${reason}`, next].filter(Boolean).join("; ")));
    if (down.length === 0) return 0;
    return down.length === tunnels.length ? 1 : 3;
  },
};
