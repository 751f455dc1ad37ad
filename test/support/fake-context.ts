import type { Context } from "../../src/commands/command.ts";
import { exitCodeOf } from "../../src/cli/exit-code-of.ts";
import { showError } from "../../src/cli/show-error.ts";
import { makeFakeTerminal, type Setting } from "../terminal/fake-streams.ts";

export interface FakeContext {
  context: Context;
  out: () => string;
  err: () => string;
}

/** Streams of cron: none of them is a terminal. */
export const PIPED: Setting = { stdin: false, stdout: false, stderr: false };

const refuse = (name: string) => (): Promise<never> =>
  Promise.reject(new Error(`the test gives no ${name}`));

/** Returns a context in a pipe, with the members that the test gives. Every other member that costs time throws. */
export function makeFakeContext(
  members: Partial<Context> = {},
  setting: Setting = PIPED,
): FakeContext {
  const { terminal, out, err } = makeFakeTerminal(setting);
  const { signal } = new AbortController();
  const context: Context = {
    terminal,
    environment: {},
    folders: { config: "/nosuch", state: "/nosuch", cache: "/nosuch", runtime: "/nosuch" },
    configPath: "/lcops.config.json",
    version: "0",
    commands: [],
    environmentFlag: undefined,
    scopeWishes: {},
    signal,
    outputGone: signal,
    leaveSigintTo: (work) => work(),
    finishFirst: (work) => work(),
    hasTerminal: false,
    childEnvironment: () => Promise.resolve({}),
    config: refuse("config"),
    hosts: refuse("hosts"),
    inventory: refuse("inventory"),
    findHost: refuse("findHost"),
    reach: refuse("reach"),
    prompts: refuse("prompts"),
    gate: refuse("gate"),
    journal: refuse("journal"),
    runLcops: refuse("runLcops"),
    self: ["node", "lcops.js"],
    ...members,
  };
  return { context, out, err };
}

/** Returns what a script sees of an error: exit code, stdout and stderr. */
export function tellError(error: unknown): { code: number; stdout: string; stderr: string } {
  const { terminal, out, err } = makeFakeTerminal(PIPED);
  showError(error, terminal);
  return { code: exitCodeOf(error), stdout: out(), stderr: err() };
}

/** Runs work that must fail, and returns what a script sees of it. */
export async function tellFailure(work: () => unknown): Promise<ReturnType<typeof tellError>> {
  try {
    await work();
  } catch (error) {
    return tellError(error);
  }
  throw new Error("it has not failed");
}
