import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commands } from "../../src/commands/index.ts";
import type { MysqlConfig } from "../../src/services/mysql/settings.ts";
import { createPortPicker } from "../lab/free-port.ts";
import { PART_NAMES } from "../lab/lab.ts";
import { makeRepositories } from "../lab/repositories.ts";
import { makeGround, type Ground } from "../support/ground.ts";
import { testWith } from "../support/lab.ts";
import { openPty } from "../support/pty.ts";
import { LCOPS } from "../support/program.ts";
import { runLcops, type LcopsResult } from "../support/run-lcops.ts";

let ground: Ground;
beforeAll(async () => {
  ground = await makeGround(...PART_NAMES);
  Object.assign(
    UNATTENDED,
    await prepareTables(),
    await prepareSets(),
    await prepareRepositories(),
    prepareHealth(),
    await preparePanel(),
    prepareReplica(),
  );
});
afterAll(async () => {
  await lcops(["machine", "off", RAM, "--config", panel, "--yes"]);
  ground.remove();
});

const lcops = (args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<LcopsResult> =>
  runLcops(args, { environment: { ...ground.environment, ...more } });

/** For each command, a command line that works where nobody can be asked. */
const UNATTENDED: Record<string, string[]> = {
  menu: ["menu", "li"],
  hosts: ["hosts"],
  "hosts trust": ["hosts", "trust", "GraphStats"],
  ssh: ["ssh", "GraphStats", "--", "true"],
  "tunnel open": ["tunnel", "open", "kibana", "--", "true"],
  "tunnel list": ["tunnel", "list"],
  "tunnel logs": ["tunnel", "logs", "kibana"],
  "tunnel retry": ["tunnel", "retry"],
  "tunnel close": ["tunnel", "close", "--all"],
  mysql: ["mysql", "--", "-e", "select 42"],
  "fleet run": ["fleet", "run", "GraphStats", "TextLogs", "--", "echo here"],
  "fleet upgrade": ["fleet", "upgrade", "TextLogs", "--confirm", "TextLogs"],
  "redis info": ["redis", "info", "dev-cache"],
  "redis flush": ["redis", "flush", "dev-cache", "--pattern", "no-such:*", "--yes"],
  "redis console": ["redis", "console", "dev-cache", "--", "PING"],
  "config init": ["config", "init", "--yes", "--dry-run"],
  "config check": ["config", "check"],
  "config show": ["config", "show"],
  "config schema": ["config", "schema"],
  doctor: ["doctor"],
  history: ["history"],
  completion: ["completion", "bash"],
  help: ["help"],
};
/** It is in /dev/shm, where other runs of the tests are too. */
const RAM = `pipes-${process.pid}`;
const TABLE = "pattern-aggregator";
const IN_OREGON = ["--region", "us-west-2"];
const CONFIRM = ["--confirm", TABLE];
/** Rows of the lab's table that are open: an editor that closes them. */
const CLOSE = { EDITOR: "sed -i s/true/false/" };
const [ROW, OTHER_ROW] = [
  ["school-1/lesson-003", "2014-03-25"],
  ["school-1/lesson-006", "2014-03-19"],
];

/** Files and a change for what edits tables; returns their command lines. */
async function prepareTables(): Promise<Record<string, string[]>> {
  const at = (name: string): string => path.join(ground.folder, name);
  const dump = ["dyn", "dump-table", TABLE, "-o", at("table.json"), ...IN_OREGON];
  const edit = ["dyn", "edit-row", TABLE, ...OTHER_ROW, ...IN_OREGON];
  await lcops(dump);
  for (const [name, attribute] of [
    ["row.json", "mean"],
    ["other.json", "source"],
  ] as const) {
    await lcops(["dyn", "dump-row", TABLE, ...ROW, "-o", at(name), ...IN_OREGON]);
    const text = readFileSync(at(name), "utf8");
    const value = new RegExp(`"${attribute}": \\{"N": "[^"]+"\\}`);
    writeFileSync(at(name), text.replace(value, `"${attribute}": {"N": "${Date.now()}"}`));
  }
  // Something to undo.
  await lcops([...edit, ...CONFIRM], CLOSE);
  const capacity = ["dyn", "capacity", at("table.json")];
  return {
    "dyn tables": ["dyn", "tables", ...IN_OREGON],
    "dyn dump-table": dump,
    "dyn dump-row": ["dyn", "dump-row", TABLE, ...ROW, "-o", at("dumped.json"), ...IN_OREGON],
    "dyn edit-row": [...edit, ...CONFIRM],
    "dyn upload-row": ["dyn", "upload-row", at("row.json"), ...CONFIRM],
    "dyn undo": ["dyn", "undo", ...CONFIRM],
    "dyn load-table": ["dyn", "load-table", at("table.json"), TABLE, ...IN_OREGON, ...CONFIRM],
    "dyn capacity": capacity,
  };
}

/** A part of the lab that is well whatever other tests do to the rest. */
function prepareHealth(): Record<string, string[]> {
  const config = ground.deriveConfig((changed) => {
    const { GraphStats } = changed.hosts ?? {};
    const { graphite } = changed.services ?? {};
    changed.hosts = GraphStats ? { GraphStats } : {};
    changed.services = graphite ? { graphite } : {};
    for (const environment of Object.values(changed.environments ?? {})) delete environment.aws;
    delete changed.backups;
    delete changed.menu;
  });
  return { health: ["health", "--config", config] };
}

/** A configuration with sets to prune and garbage, of which the commands that are confirmed take nothing away. */
let keptSets = "";

/** The replica in the place of another service, with which the primary is compared. */
function prepareReplica(): Record<string, string[]> {
  const config = ground.deriveConfig((derived) => {
    // What other tests make in other databases comes and goes.
    derived.consistency = { school: { service: "school", databases: ["school"] } };
    const { services = {} } = derived;
    const { school } = services;
    if (school?.kind === "mysql")
      services["copy"] = { ...school, ...school.replica } as MysqlConfig;
  });
  return {
    "db check": ["db", "check", "school", "--config", config],
    "db compare": ["db", "compare", "school/school", "copy/school", "--config", config],
  };
}

/** Three sets, the oldest to be pruned, and what a killed run has left; returns the command lines. */
async function prepareSets(): Promise<Record<string, string[]>> {
  const JOB = "graphite";
  const folder = path.join(ground.folder, "sets", "operator");
  if (!ground.config.backups) return {};
  for (let run = 0; run < 3; run++) await lcops(["backup", "run", JOB]);
  for (const verb of ["verify", "drill"]) await lcops(["backup", verb, JOB]);
  const garbage = path.join(folder, "data", JOB, "20140101T000000Z-000000", "part");
  mkdirSync(path.dirname(garbage), { recursive: true });
  writeFileSync(garbage, "left");
  utimesSync(garbage, 0, 0);
  const kept = path.join(ground.folder, "kept");
  cpSync(folder, kept, { recursive: true, preserveTimestamps: true });
  keptSets = ground.deriveConfig(({ backups }) => {
    if (backups) backups.destinations = { operator: { folder: kept } };
  });
  const into = path.join(ground.folder, "restored");
  return {
    "backup run": ["backup", "run", JOB],
    "backup list": ["backup", "list", JOB],
    "backup verify": ["backup", "verify", JOB],
    "backup restore": ["backup", "restore", JOB, "--into", into, "--yes"],
    "backup drill": ["backup", "drill", JOB],
    "backup prune": ["backup", "prune", JOB, "--confirm", JOB],
    "backup gc": ["backup", "gc", "--yes"],
    "backup status": ["backup", "status", JOB],
    "backup schedule": ["backup", "schedule", JOB],
  };
}

/** One repository to be updated, and one to be asked about. */
async function prepareRepositories(): Promise<Record<string, string[]>> {
  if (!ground.lab.repositories) return {};
  const repositories = await makeRepositories(path.join(ground.folder, "code"), ["app", "asked"]);
  const config = ground.deriveConfig((changed) => (changed.workstation = { repositories }));
  return { "machine update": ["machine", "update", "app", "--config", config, "--yes"] };
}

/** Services of a panel that no test of another file has, and their configuration. */
let panel = "";
/** An app that ends once it has answered. */
const PAGE = `
const server = require("node:http").createServer((request, response) => {
  response.setHeader("connection", "close");
  response.end();
  server.close();
});
server.listen(Number(process.argv[2]), "127.0.0.1");`;

async function preparePanel(): Promise<Record<string, string[]>> {
  const pagePort = await createPortPicker()("127.0.0.1");
  const page = path.join(ground.folder, "page.cjs");
  writeFileSync(page, PAGE);
  const flag = path.join(ground.folder, "flag");
  const service = (status: string[]) => ({
    kind: "command" as const,
    status,
    on: ["touch", flag],
    off: ["rm", "-f", flag],
  });
  panel = ground.deriveConfig((changed) => {
    changed.workstation = {
      services: {
        flag: service(["test", "-e", flag]),
        never: service(["false"]),
        always: service(["true"]),
        [RAM]: { kind: "ram-mysql" },
      },
      launches: {
        page: {
          kind: "app",
          folder: ground.folder,
          run: [process.execPath, page, String(pagePort)],
          url: `http://127.0.0.1:${pagePort}/`,
        },
      },
    };
  });
  const at = ["--config", panel];
  return {
    machine: ["machine", ...at],
    "machine status": ["machine", "status", ...at],
    "machine on": ["machine", "on", "flag", ...at, "--yes"],
    "machine off": ["machine", "off", "flag", ...at, "--yes"],
    "machine reset": ["machine", "reset", RAM, ...at, "--yes"],
    "machine launch": ["machine", "launch", "page", ...at],
  };
}

/** The line of a command that needs a confirmation, without it. */
function lineWithout(name: string): string[] {
  if (name === "machine on") return ["machine", "on", "never", "--config", panel];
  if (name === "machine off") return ["machine", "off", "always", "--config", panel];
  if (name === "machine reset") return ["machine", "reset", RAM, "--config", panel];
  if (name === "hosts trust") return ["hosts", "trust", "GraphStats"];
  if (name === "machine update")
    return (UNATTENDED[name] ?? []).slice(0, -1).map((word) => (word === "app" ? "asked" : word));
  if (name === "backup restore") return (UNATTENDED[name] ?? []).slice(0, -1);
  if (name === "redis flush") return ["redis", "flush", "dev-cache", "--db"];
  if (name === "fleet upgrade") return ["fleet", "upgrade", "RedisCache"];
  if (name === "backup prune") return ["backup", "prune", "graphite"];
  if (!name.startsWith("dyn ")) return name.split(" ");
  if (name === "dyn upload-row")
    return ["dyn", "upload-row", path.join(ground.folder, "other.json")];
  if (name === "dyn edit-row") return ["dyn", "edit-row", TABLE, ...ROW, ...IN_OREGON];
  return (UNATTENDED[name] ?? []).slice(0, -CONFIRM.length);
}

const LONG_RUNS = new Set([
  "backup run",
  "dyn dump-table",
  "dyn load-table",
  "fleet run",
  "fleet upgrade",
  "machine launch",
]);

/** What `--json` means nothing to: a child's own output, and text for a shell or a reader. */
const NOT_JSON = new Set(["ssh", "tunnel open", "mysql", "redis console", "completion", "help"]);

/** It follows until it is stopped; machine-log.lab.test.ts has it. */
const ENDING = commands.filter(({ name }) => name !== "machine log");

describe.each(ENDING.map((command) => [command.name, command] as const))("%s", (name, command) => {
  testWith(
    "hosts",
    "mysql",
    "graphite",
    "redis",
    "repositories",
  )("works unattended, without a single escape code", async () => {
    const line = UNATTENDED[name] ?? [];
    expect(line).not.toEqual([]);
    const result = await lcops(line, CLOSE);
    expect(result).toMatchObject({ code: 0 });
    expect(result.stdout + result.stderr).not.toContain("\u001b");
  });

  if (command.unattended !== undefined) {
    testWith("repositories")("names what it misses when nobody can be asked", async () => {
      const result = await lcops(lineWithout(name), {
        LCOPS_CONFIG: missingFor(name),
        ...CLOSE,
      });
      expect([2, 5]).toContain(result.code);
      expect(result.stdout).toBe("");
      expect(result.stderr).toMatch(
        /^lcops: .*(terminal|nothing was done).*; .*(KEY|--yes|--confirm).*\n/m,
      );
    });
  }

  if (!NOT_JSON.has(name)) {
    testWith(
      "hosts",
      "redis",
      "repositories",
    )("prints one document with --json", async () => {
      const { code, stdout } = await lcops(["--json", ...(UNATTENDED[name] ?? [])], CLOSE);
      expect(code).toBe(0);
      // A long run has one on each line.
      for (const text of LONG_RUNS.has(name) ? stdout.trim().split("\n") : [stdout])
        expect(typeof JSON.parse(text)).toBe("object");
    });
  }
});

function missingFor(name: string): string {
  if (name === "hosts trust") {
    // Nobody is known.
    const { configFile } = ground.writeSshConfig([]);
    return ground.deriveConfig((config) => void (config.ssh = { configFile }));
  }
  if (["backup prune", "backup gc"].includes(name)) return keptSets;
  return name === "config init" ? `${ground.folder}/none.json` : ground.configPath;
}

describe("--json", () => {
  test("gives errors as a document too", async () => {
    const { code, stdout } = await lcops(["hosts", "NOSUCH", "--json"]);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { kind: "usage", message: "no host matches NOSUCH" },
    });
  });

  test("prints the exit codes as a document", async () => {
    const { stdout } = await lcops(["help", "exit-codes", "--json"]);
    expect(JSON.parse(stdout)).toContainEqual({ code: "6", meaning: "another run holds the lock" });
  });
});

describe("a reader that closes early", () => {
  const read = (line: string, ...args: string[]): { out: string; error: string } => {
    const script = `"$@" | ${line}; echo "code \${PIPESTATUS[0]}"`;
    const words = ["-c", script, "bash", process.execPath, LCOPS, ...args];
    const result = spawnSync("bash", words, {
      env: ground.environment,
      encoding: "utf8",
      timeout: 15_000,
    });
    return { out: result.stdout, error: result.stderr };
  };

  test("has its first line of the hosts, and lcops ends quietly", () => {
    expect(read("head -1", "hosts")).toEqual({
      out: expect.stringMatching(/^GraphStats\t.*\ncode 0\n$/),
      error: "",
    });
  });

  test("may be gone before anything was written", () => {
    expect(read("true", "hosts")).toEqual({ out: "code 0\n", error: "" });
    expect(read("exec 0<&-", "config", "schema")).toEqual({ out: "code 0\n", error: "" });
  });

  test("changes nothing about how it ended", () => {
    expect(read("true", "hosts", "NOSUCH", "--json").out).toBe("code 2\n");
    const script = '"$@" 2> >(true); echo "code $?"';
    const words = ["-c", script, "bash", process.execPath, LCOPS, "hosts", "-v"];
    const { stdout } = spawnSync("bash", words, { env: ground.environment, encoding: "utf8" });
    expect(stdout).toMatch(/^GraphStats\t[^]*\ncode 0\n$/);
  });

  test("is told from a disk that is full, which is said once, and ends with 1", () => {
    const script = '"$@" > /dev/full';
    const words = ["-c", script, "bash", process.execPath, LCOPS, "hosts"];
    const { status, stderr } = spawnSync("bash", words, {
      env: ground.environment,
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([
      1,
      "lcops: cannot write the output: ENOSPC: no space left on device, write\n",
    ]);
  });
});

describe("colour", () => {
  const isPainted = (text: string): boolean =>
    text.split("\u001b[").some((part, index) => index > 0 && /^[\d;]*m/.test(part));

  test("is on a terminal, and not with NO_COLOR", async () => {
    for (const [more, wanted] of [
      [{}, true],
      [{ NO_COLOR: "1" }, false],
    ] as const) {
      const pty = openPty([], { environment: { ...ground.environment, ...more } });
      await pty.waitFor(/\n>>>$/);
      pty.press("ctrl-c");
      expect((await pty.exit).code).toBe(0);
      expect(isPainted(pty.raw())).toBe(wanted);
    }
  });

  test("is in a pipe with FORCE_COLOR, unless --no-color says otherwise", async () => {
    const broken = ["hosts", "NOSUCH"];
    expect(isPainted((await lcops(broken, { FORCE_COLOR: "1" })).stderr)).toBe(true);
    const plain = await lcops([...broken, "--no-color"], { FORCE_COLOR: "1" });
    expect(isPainted(plain.stderr)).toBe(false);
  });
});

test("lcops alone prints the help in a pipe", async () => {
  const { code, stdout, stderr } = await lcops([]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^Usage: lcops /);
  for (const { name } of commands) expect(stdout).toContain(`\n  ${name.split(" ")[0]}`);
});
