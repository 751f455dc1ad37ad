import type { Folders } from "../config/folders.ts";
import type { Config } from "../config/schema.ts";
import type { Host } from "../inventory/host.ts";
import type { Inventory, InventoryOptions } from "../inventory/load-inventory.ts";
import type { ScopeWishes } from "../inventory/plan-scopes.ts";
import type { ReachOptions } from "../reach/connect-host.ts";
import type { Prompts } from "../terminal/prompts.ts";
import type { Gate } from "../system/gate.ts";
import type { Journal } from "../system/journal.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** What an operator can ask for: data, and a short handler. */
export interface Command {
  /** As it is typed, `tunnel open`. */
  name: string;
  /** Old names that work too, not shown. */
  aliases?: readonly string[];
  /** The script that it replaces, a word that works alone and is not shown. */
  script?: string;
  summary: string;
  /** Operands as commander writes them, `<name...>`, each with its help. */
  operands?: readonly { syntax: string; description: string }[];
  options?: readonly { flags: string; description: string }[];
  /** What may follow ` -- `, for the help; absent: nothing may. */
  rest?: string;
  /** Its operands are values of others, which may begin with a dash: behind -- they are taken as they are. */
  dashedOperands?: true;
  /** Command lines that show the use, without `lcops`. */
  examples: readonly string[];
  danger: "reads" | "writes" | "destroys";
  /** Whether it speaks to AWS, and so has --profile and --region. */
  aws?: boolean;
  /** False: it writes on behalf of the operator (a shell, a client), not by a plan of its own, and has no --dry-run. */
  changesEstate?: boolean;
  /** Whether its exit code is that of a child, and 255 says that lcops failed before it. */
  returnsChildCode?: (input: Input) => boolean;
  /** What it needs where nobody can be asked; absent: it works unattended. */
  unattended?: string;
  /** Returns the exit code. */
  run(input: Input, context: Context): Promise<number>;
}

export interface Input {
  operands: readonly string[];
  options: Readonly<Record<string, unknown>>;
  /** The words behind ` -- `; undefined where there was none. */
  rest: readonly string[] | undefined;
}

/** Everything that a command gets. What costs time is a function. */
export interface Context {
  terminal: Terminal;
  environment: NodeJS.ProcessEnv;
  folders: Folders;
  configPath: string;
  version: string;
  /** The command list, for what is made from it: menu, help, completion. */
  commands: readonly Command[];
  /** `--env`; the default environment of the configuration is for commands that need one. */
  environmentFlag: string | undefined;
  /** `--env`, `--profile` and `--region`. */
  scopeWishes: ScopeWishes;
  /** Fired by SIGINT and SIGTERM; everything ends by it. */
  signal: AbortSignal;
  /** Fired once stdout has no reader any more, or is lost; what has no end of its own ends by it, with its reason. */
  outputGone: AbortSignal;
  /** While the work runs, Ctrl-C belongs to the program on the terminal; `onSigint` is told of it. */
  leaveSigintTo: <T>(work: () => Promise<T>, onSigint?: () => void) => Promise<T>;
  /** While the work runs a signal ends it by `signal` alone, however long that takes: for what must not be left half done. */
  finishFirst: <T>(work: () => Promise<T>) => Promise<T>;
  /** Whether the terminal sends Ctrl-C to a child as well. */
  hasTerminal: boolean;
  /** The variables for a child: lcops' own, less those that carry its secrets. */
  childEnvironment: () => Promise<NodeJS.ProcessEnv>;
  config: () => Promise<Config>;
  /** The hosts of the configuration and of the user's ssh settings, of the environment of `--env` where that is given; AWS is not asked. */
  hosts: () => Promise<Host[]>;
  /** The inventory of every source, of `--env` where that is given. */
  inventory: (freshness: InventoryOptions["freshness"]) => Promise<Inventory>;
  /** The one host that a selector picks, for connecting: AWS is asked where the configuration does not know it. */
  findHost: (selector: string) => Promise<Host>;
  reach: () => Promise<ReachOptions>;
  prompts: () => Promise<Prompts>;
  /** Stands before every change: `if (!(await gate(plan))) return 0`. */
  gate: Gate;
  /** Writes a change down before it is made. */
  journal: Journal;
  /** Run another command line of lcops, and return its exit code. */
  runLcops: (words: readonly string[]) => Promise<number>;
  /** The words that start this very program, for a child process. */
  self: readonly [string, ...string[]];
}
