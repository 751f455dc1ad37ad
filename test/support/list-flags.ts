import type { Command } from "../../src/commands/command.ts";

/** The flags that every command has; `--version` belongs to lcops itself. */
export const GLOBAL_FLAGS = [
  "--config",
  "--env",
  "--json",
  "--quiet",
  "--verbose",
  "--no-input",
  "--no-color",
  "--help",
];
const AWS_FLAGS = ["--profile", "--region"];
const GUARD_FLAGS = ["--dry-run", "--yes", "--confirm"];

/** Returns whether a command changes something by a plan of its own, and so has the flags of the guard. */
export const isGuarded = ({ danger, changesEstate }: Command): boolean =>
  danger !== "reads" && changesEstate !== false;

/** Returns every long flag that a command takes. */
export function listFlags(command: Command): string[] {
  const own = (command.options ?? []).map(({ flags }) => /--[a-z-]+/.exec(flags)?.[0] ?? "");
  return [
    ...own,
    ...GLOBAL_FLAGS,
    ...(command.aws ? AWS_FLAGS : []),
    ...(isGuarded(command) ? GUARD_FLAGS : []),
  ];
}
