import type { Command } from "../../src/commands/command.ts";
import { isGuarded } from "./list-flags.ts";

/**
 * Returns the head of a command's synopsis as docs/contract.md has it: operands, own flags, then `[GUARD]` and `[AWS]` for
 * the flags that many commands share. What may follow ` -- ` is left to the page.
 */
export function writeSynopsis(command: Command): string {
  const operands = (command.operands ?? []).map(({ syntax }) => nameOperand(syntax));
  const options = (command.options ?? []).map(({ flags }) => `[${nameFlag(flags)}]`);
  return [
    "lcops",
    command.name,
    ...operands,
    ...options,
    ...(isGuarded(command) ? ["[GUARD]"] : []),
    ...(command.aws ? ["[AWS]"] : []),
  ].join(" ");
}

/** `<name...>` is `NAME...`, `[name]` is `[NAME]`. */
function nameOperand(syntax: string): string {
  const name = syntax.slice(1, -1).toUpperCase();
  return syntax.startsWith("<") ? name : `[${name}]`;
}

/** `-o, --output <file>` is `--output FILE`. */
function nameFlag(flags: string): string {
  const [flag = "", value] = flags.replace(/^-\w, /, "").split(" ");
  return value === undefined ? flag : `${flag} ${nameOperand(value)}`;
}
