import { describe, expect, test } from "vitest";
import type { GlobalFlags } from "../../src/cli/build-program.ts";
import { readCommandLine } from "../../src/cli/read-command-line.ts";
import {
  explainCommandLine,
  passOn,
  readGuard,
  readWishes,
  refuseMisuse,
} from "../../src/cli/run-command.ts";
import type { Command, Input } from "../../src/commands/command.ts";
import { tellError, tellFailure } from "../support/fake-context.ts";

const FLAGS: GlobalFlags = { input: true, color: true };
const typed = (options: Input["options"], rest?: readonly string[]): Input => ({
  operands: [],
  options,
  rest,
});

test("readWishes takes the environment, the profile and the regions as they were typed", () => {
  expect(readWishes(FLAGS, typed({}))).toEqual({});
  const options = { profile: "live", region: "eu-west-1,us-west-2" };
  expect(readWishes({ ...FLAGS, env: "prod" }, typed(options))).toEqual({
    environment: "prod",
    profile: "live",
    region: "eu-west-1,us-west-2",
  });
  expect(readWishes({ ...FLAGS, env: "" }, typed({}))).toEqual({ environment: "" });
});

describe("readGuard", () => {
  test("confirms nothing by itself", () => {
    expect(readGuard(typed({}))).toEqual({ dryRun: false, yes: false });
    expect(readGuard(typed({ yes: "true", dryRun: 1, confirm: true }))).toEqual({
      dryRun: false,
      yes: false,
    });
  });

  test("has what was typed, an empty name too", () => {
    expect(readGuard(typed({ dryRun: true, yes: true, confirm: "" }))).toEqual({
      dryRun: true,
      yes: true,
      confirm: "",
    });
  });
});

describe("refuseMisuse", () => {
  const command: Command = {
    name: "hosts",
    summary: "",
    examples: [],
    danger: "reads",
    run: () => Promise.resolve(0),
  };
  const takesRest: Command = { ...command, name: "ssh", rest: "COMMAND" };
  const check =
    (of: Command, input: Input, flags = FLAGS) =>
    (): void =>
      refuseMisuse(of, input, flags);

  test("lets pass what the command takes", () => {
    expect(check(command, typed({}))).not.toThrow();
    expect(check(takesRest, typed({}, ["uptime"]), { ...FLAGS, config: "x" })).not.toThrow();
  });

  test.each<[Command, Input, GlobalFlags, string]>([
    [command, typed({}, ["x"]), FLAGS, "lcops hosts takes nothing behind --; see lcops help hosts"],
    [takesRest, typed({}, []), FLAGS, "nothing stands behind --; see lcops help ssh"],
    [
      command,
      typed({}),
      { ...FLAGS, config: "" },
      "--config needs the path of a file; see lcops help hosts",
    ],
  ])("refuses what it does not take", async (of, input, flags, said) => {
    expect(await tellFailure(check(of, input, flags))).toEqual({
      code: 2,
      stdout: "",
      stderr: `lcops: ${said}\n`,
    });
  });
});

test("explainCommandLine leads to the help of the topic, or to the help of all", () => {
  expect(tellError(explainCommandLine("unknown option '-x'", "tunnel open"))).toEqual({
    code: 2,
    stdout: "",
    stderr: "lcops: unknown option '-x'; see lcops help tunnel open\n",
  });
  expect(explainCommandLine("unknown command 'x'", "").next).toBe("see lcops help");
});

test("passOn hands every global flag to a command line within", () => {
  expect(passOn(FLAGS)).toEqual([]);
  const flags: GlobalFlags = {
    config: "./my config.json",
    env: "dev",
    json: true,
    quiet: true,
    verbose: true,
    input: false,
    color: false,
  };
  const line = readCommandLine([...passOn(flags), "doctor"], "0", () => false);
  expect(line).toMatchObject({ kind: "command", flags });
});
