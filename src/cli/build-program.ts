import { type Argument, Command as CommanderCommand, Option } from "commander";
import type { Command, Input } from "../commands/command.ts";

/** The flags that every command has, as commander parses them. */
export interface GlobalFlags {
  config?: string;
  env?: string;
  json?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  input: boolean;
  color: boolean;
}

export interface ProgramParts {
  commands: readonly Command[];
  nouns: Readonly<Record<string, string>>;
  version: string;
  /** The words behind ` -- `. */
  rest: readonly string[] | undefined;
  /** Called with the command that was typed. */
  act: (command: Command, input: Input) => void;
}

/** Given the list of commands, return the parser of the command line. It throws CommanderError and never exits. */
export function buildProgram(parts: ProgramParts): CommanderCommand {
  const program = new CommanderCommand("lcops")
    .description("Runs the whole AWS estate of a small team: tunnels, shells, databases, backups.")
    .version(parts.version, "--version", "print the version")
    .helpOption("-h, --help", "show the help")
    .helpCommand(false)
    .option("--config <file>", "configuration file")
    .option("--env <name>", "environment")
    .option("--json", "print one JSON document; long runs one event a line")
    .option("-q, --quiet", "say only what went wrong")
    .option("-v, --verbose", "say each step, and where a fault happened")
    .option("--no-input", "never ask")
    .option("--no-color", "no colours")
    .configureHelp({
      showGlobalOptions: true,
      // The old names work, and are not taught.
      subcommandTerm: (command) =>
        [
          command.name(),
          ...command.registeredArguments.map((argument) => nameArgument(argument)),
        ].join(" "),
    })
    .addHelpText(
      "after",
      "\nlcops alone opens the menu. lcops help exit-codes lists the exit codes.",
    );
  prepare(program);
  for (const command of parts.commands) addCommand(program, command, parts);
  return program;
}

function nameArgument(argument: Argument): string {
  const { required, variadic } = argument;
  const shown = `${argument.name()}${variadic ? "..." : ""}`;
  return required ? `<${shown}>` : `[${shown}]`;
}

/** Settings that commander hands down to no subcommand that is made by hand. */
function prepare(target: CommanderCommand): void {
  target
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .showSuggestionAfterError(true);
}

function addCommand(program: CommanderCommand, command: Command, parts: ProgramParts): void {
  const words = command.name.split(" ");
  const verb = words.at(-1) ?? command.name;
  const parent = words.length === 1 ? program : findNoun(program, words[0] ?? "", parts);
  fillCommand(parent.command(verb), command, parts);
  if (command.script !== undefined)
    fillCommand(program.command(command.script, { hidden: true }), command, parts);
}

function fillCommand(made: CommanderCommand, command: Command, parts: ProgramParts): void {
  const target = made.description(command.summary).helpOption("-h, --help", "show the help");
  prepare(target);
  if (command.aliases && target.name() !== command.script) target.aliases([...command.aliases]);
  for (const operand of command.operands ?? [])
    target.argument(operand.syntax, operand.description);
  for (const option of command.options ?? []) target.option(option.flags, option.description);
  if (command.aws) {
    target.option("--profile <name>", "AWS profile, instead of the configured ones");
    target.option(
      "--region <names>",
      "AWS regions, separated by commas, instead of the configured ones",
    );
  }
  if (command.danger !== "reads" && command.changesEstate !== false) addGuardOptions(target);
  target.addHelpText("after", () => describeUse(command));
  target.action(() => {
    const options = target.opts();
    parts.act(command, { operands: target.args, options, rest: parts.rest });
  });
}

function findNoun(program: CommanderCommand, noun: string, parts: ProgramParts): CommanderCommand {
  const known = program.commands.find((command) => command.name() === noun);
  if (known) return known;
  const made = program
    .command(noun)
    .description(parts.nouns[noun] ?? "")
    .helpOption("-h, --help", "show the help")
    .helpCommand(false);
  prepare(made);
  return made;
}

function addGuardOptions(target: CommanderCommand): void {
  target.addOption(new Option("--dry-run", "print the plan, change nothing"));
  target.addOption(new Option("--yes", "do not ask"));
  target.addOption(
    new Option("--confirm <name>", "do not ask: in production, the name of the target"),
  );
}

function describeUse(command: Command): string {
  const rest = command.rest === undefined ? "" : `\nBehind --:  ${command.rest}\n`;
  const unattended =
    command.unattended === undefined
      ? ""
      : `\nWithout a terminal it needs ${command.unattended}.\n`;
  return `${rest}${unattended}\nExamples:\n${command.examples.map((line) => `  lcops ${line}`).join("\n")}`;
}
