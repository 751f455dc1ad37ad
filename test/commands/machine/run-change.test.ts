import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Change, runChange } from "../../../src/commands/machine/run-change.ts";
import type { Config } from "../../../src/config/schema.ts";
import { takeKernelLock } from "../../../src/system/kernel-lock.ts";
import { makeMachineContext } from "../../support/machine-context.ts";
import { makePrograms, type ScriptedPrograms } from "../../support/scripted-programs.ts";
import type { Setting } from "../../terminal/fake-streams.ts";

let programs: ScriptedPrograms;
let flag: string;
beforeEach(() => {
  programs = makePrograms();
  flag = path.join(programs.folder, "flag");
});
afterEach(() => programs.remove());

const command = (status: string[], on: string[], off: string[]) => ({
  kind: "command" as const,
  status,
  on,
  off,
});

function makeConfig(): Config {
  const own = {
    ...command(["test", "-e", flag], ["touch", flag], ["rm", flag]),
    title: "Our worker",
  };
  return {
    workstation: {
      services: {
        own,
        gone: command(["/no/such"], ["true"], ["true"]),
        killed: command(["sh", "-c", "kill -SEGV $$"], ["true"], ["true"]),
        fails: command(["false"], ["sh", "-c", "echo no disk >&2; exit 1"], ["true"]),
      },
    },
  };
}

async function change(to: Change, name: string, setting?: Setting, gate?: () => Promise<boolean>) {
  const made = makeMachineContext(programs, makeConfig(), setting);
  const context = { ...made.context, ...(gate && { gate }) };
  const [result] = await Promise.allSettled([runChange(to, name, context)]);
  return { ...made, result, out: made.out(), err: made.err() };
}

describe("a change of a service", () => {
  test("is asked for, written down, done and verified", async () => {
    const { result, asked, written, out } = await change("on", "own", {
      stdout: false,
      stderr: false,
      flags: { json: true },
    });
    expect(result).toMatchObject({ value: 0 });
    expect(asked).toEqual([
      {
        title: "turn own on",
        target: "own",
        isProduction: false,
        lines: [`touch ${flag}`],
        danger: "writes",
        undo: `rm ${flag}`,
      },
    ]);
    expect(written).toEqual([
      {
        change: `turn own on: touch ${flag}`,
        undo: { kind: "machine", name: "own", to: "off" },
      },
      { state: "done" },
    ]);
    expect(JSON.parse(out)).toMatchObject({ name: "own", state: "on", pending: null });
    expect(existsSync(flag)).toBe(true);
  });

  test("is not made without a yes", async () => {
    const { result, written } = await change("on", "own", undefined, () => Promise.resolve(false));
    expect(result).toMatchObject({ value: 0 });
    expect(written).toEqual([]);
    expect(existsSync(flag)).toBe(false);
  });

  test("has nothing to do where it is so already", async () => {
    writeFileSync(flag, "");
    const { result, asked, err } = await change("on", "own", { flags: { color: false } });
    expect(result).toMatchObject({ value: 0 });
    expect(asked).toEqual([]);
    expect(err).toContain("own is on already, nothing to do\n");
  });

  test("that fails is written down with its reason", async () => {
    const { result, written } = await change("on", "fails");
    const why = "sh -c echo no disk >&2; exit 1 ended with 1: no disk";
    expect(result).toMatchObject({ reason: { kind: "failed", message: why } });
    expect(written[1]).toEqual({ state: "failed", detail: why });
  });
});

describe("a change is refused", () => {
  test.each<[Change, string, object]>([
    ["on", "nosuch", { kind: "usage", next: "name one of own, gone, killed, fails" }],
    ["reset", "own", { kind: "usage", message: "own has nothing to be reset to" }],
    ["on", "gone", { kind: "missing", message: "gone is not installed" }],
    ["off", "killed", { kind: "failed", next: "mend that first; nothing was done" }],
  ])("%s %s", async (to, name, reason) => {
    const { result, asked, written } = await change(to, name);
    expect(result).toMatchObject({ reason });
    expect(asked).toEqual([]);
    expect(written).toEqual([]);
  });

  test("while another run changes the same service, and no other", async () => {
    const folder = path.join(programs.folder, "state/machine");
    mkdirSync(folder, { recursive: true });
    const release = await takeKernelLock(path.join(folder, "own.lock"));
    try {
      const locked = await change("on", "own");
      expect(locked.result).toMatchObject({
        reason: { kind: "locked", message: "another run changes own" },
      });
      expect((await change("on", "gone")).result).toMatchObject({ reason: { kind: "missing" } });
    } finally {
      await release?.();
    }
    expect((await change("on", "own")).result).toMatchObject({ value: 0 });
    rmSync(flag);
  });
});
