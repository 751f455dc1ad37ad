import inquirer from "inquirer";
import { OperatorError } from "../system/errors.ts";
import { clearProgress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

/** The questions that lcops asks. Each throws `refused` without a terminal, and `cancelled` when the operator leaves with Ctrl-C. */
export interface Prompts {
  /** No is the default, always. */
  confirm(message: string): Promise<boolean>;
  input(message: string, initial?: string): Promise<string>;
  /** A line that is not shown. */
  password(message: string): Promise<string>;
  choose<Value>(
    message: string,
    choices: readonly { name: string; value: Value }[],
  ): Promise<Value>;
}

/** Given a terminal, return the prompts on its stderr. */
export function makePrompts(terminal: Terminal, signal: AbortSignal): Prompts {
  const ask = async <Value>(question: object): Promise<Value> => {
    if (!terminal.canPrompt) throw new OperatorError("refused", "there is no terminal to ask on");
    clearProgress();
    const prompt = inquirer.createPromptModule({
      input: terminal.stdin,
      output: terminal.stderr,
      signal,
    });
    try {
      const answers = (await prompt([{ name: "answer", ...question }] as never)) as {
        answer: Value;
      };
      return answers.answer;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Error && error.name === "ExitPromptError")
        throw new OperatorError("cancelled", "cancelled", { cause: error });
      throw error;
    }
  };
  return {
    confirm: (message) => ask({ type: "confirm", message, default: false }),
    input: (message, initial) =>
      ask({ type: "input", message, ...(initial !== undefined && { default: initial }) }),
    password: (message) => ask({ type: "password", message }),
    choose: (message, choices) => ask({ type: "select", message, choices }),
  };
}
