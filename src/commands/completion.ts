import { OperatorError } from "../system/errors.ts";
import type { Command } from "./command.ts";

export const completion: Command = {
  name: "completion",
  summary: "Print the completion script of a shell",
  operands: [{ syntax: "<shell>", description: "bash, zsh or fish" }],
  examples: ["completion bash > /etc/bash_completion.d/lcops", "completion fish | source"],
  danger: "reads",
  async run(input, context) {
    const { makeCompletion, SHELLS } = await import("./completion-scripts.ts");
    const shell = SHELLS.find((name) => name === input.operands[0]);
    if (!shell) {
      throw new OperatorError("usage", `there is no completion for ${input.operands[0]}`, {
        next: `name one of ${SHELLS.join(", ")}`,
      });
    }
    context.terminal.print(makeCompletion(shell, context.commands));
    return 0;
  },
};
