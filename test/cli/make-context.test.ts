import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type ContextParts, makeContext } from "../../src/cli/make-context.ts";
import type { JournalEntry } from "../../src/system/journal.ts";
import { PIPED, tellFailure } from "../support/fake-context.ts";
import { makeFakeTerminal } from "../terminal/fake-streams.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "lcops-context-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const CONFIG = {
  environments: { dev: { production: false }, prod: {} },
  hosts: {
    web: { environment: "dev", address: { dns: "web.example" } },
    db: { environment: "prod", address: { dns: "db.example" } },
  },
  services: {
    school: {
      kind: "mysql",
      host: "db",
      port: 3306,
      user: "app",
      password: "${env:LCOPS_UNIT_SECRET}",
    },
  },
  ssh: { configFile: "/dev/null" },
};

function make(more: Partial<ContextParts> = {}, config: object = CONFIG) {
  const configPath = path.join(folder, "lcops.config.json");
  writeFileSync(configPath, JSON.stringify(config), { mode: 0o600 });
  const { terminal, err } = makeFakeTerminal(PIPED);
  const state = path.join(folder, "state");
  const context = makeContext({
    terminal,
    environment: {},
    folders: { config: folder, state, cache: folder, runtime: folder },
    configPath,
    environmentFlag: undefined,
    wishes: {},
    guard: { dryRun: false, yes: false },
    words: [],
    signals: {
      signal: new AbortController().signal,
      leaveSigintTo: (work) => work(),
      finishFirst: (work) => work(),
      hasTerminal: false,
    },
    version: "0",
    commands: [],
    runLcops: () => Promise.resolve(0),
    self: ["node"],
    ...more,
  });
  return { context, state, err };
}

describe("the configuration", () => {
  test("is read once, when it is first asked for", async () => {
    const { context } = make();
    const first = await context.config();
    writeFileSync(context.configPath, "{ not even json");
    expect(await context.config()).toBe(first);
  });

  test("that has no environment of --env is told with those that it has", async () => {
    const { context } = make({ environmentFlag: "qa" });
    expect(await tellFailure(context.config)).toEqual({
      code: 2,
      stdout: "",
      stderr: "lcops: there is no environment qa; name one of dev, prod\n",
    });
    for (const name of ["constructor", "__proto__"])
      await expect(make({ environmentFlag: name }).context.config()).rejects.toThrow(name);
  });

  test("that is missing is told with what makes one", async () => {
    const { context } = make({ configPath: "/nosuch.json" });
    const { code, stdout, stderr } = await tellFailure(context.config);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/no configuration at \/nosuch.json; run lcops config init/);
  });
});

test("children get the variables of lcops, less those that carry its secrets", async () => {
  vi.stubEnv("LCOPS_UNIT_SECRET", "s3cret");
  vi.stubEnv("LCOPS_UNIT_OTHER", "kept");
  const { context } = make({ environment: { ...process.env } });
  const variables = await context.childEnvironment();
  expect(variables).toMatchObject({ LCOPS_UNIT_OTHER: "kept" });
  expect(variables).not.toHaveProperty("LCOPS_UNIT_SECRET");
  // lcops itself still knows it.
  expect(context.environment["LCOPS_UNIT_SECRET"]).toBe("s3cret");
});

test("the hosts are those of --env, and a way to one may lead over the others", async () => {
  const { context } = make({ environmentFlag: "dev", wishes: { environment: "dev" } });
  expect((await context.hosts()).map(({ name }) => name)).toEqual(["web"]);
  const { hosts, ask } = await context.reach();
  expect(hosts.map(({ name }) => name)).toEqual(["web", "db"]);
  // Nobody is there to be asked.
  expect(ask).toBeUndefined();
});

const PLAN = {
  title: "flush the cache",
  lines: [],
  target: "cache",
  danger: "destroys" as const,
  isProduction: true,
};

test("the gate heeds the flags of the command line", async () => {
  expect(await make({ guard: { dryRun: true, yes: false } }).context.gate(PLAN)).toBe(false);
  const confirmed = { dryRun: false, yes: false, confirm: "cache" };
  expect(await make({ guard: confirmed }).context.gate(PLAN)).toBe(true);
  const { code } = await tellFailure(() =>
    make({ guard: { dryRun: false, yes: true } }).context.gate(PLAN),
  );
  expect(code).toBe(5);
});

describe("the journal", () => {
  test("has the command line as one can type it again", async () => {
    const { context, state } = make({ words: ["dyn", "undo", "it's"] });
    const record = await context.journal({ change: "write a row" });
    const [line = ""] = readFileSync(path.join(state, "journal.ndjson"), "utf8").split("\n");
    expect(JSON.parse(line) as JournalEntry).toMatchObject({
      id: record.id,
      command: "lcops dyn undo 'it'\\''s'",
      change: "write a row",
    });
  });

  test("that cannot be written to any more warns, and fails nothing that was done", async () => {
    const { context, state, err } = make();
    const record = await context.journal({ change: "write a row" });
    rmSync(state, { recursive: true });
    writeFileSync(state, "no folder");
    await record.end({ state: "done" });
    expect(err()).toMatch(/^lcops: \S/);
  });
});
