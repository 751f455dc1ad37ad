import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type MysqlVariableConfig,
  mysqlVariableService,
} from "../../src/workstation/mysql-variable.ts";
import { readSwitch, writeSwitch } from "../../src/workstation/switch-record.ts";
import { makeTools } from "../support/machine-tools.ts";
import { makePrograms, type ScriptedPrograms } from "../support/scripted-programs.ts";

let programs: ScriptedPrograms;
let state: string;
beforeEach(() => {
  programs = makePrograms();
  state = path.join(programs.folder, "state");
});
afterEach(() => programs.remove());

/** Writes a client that records its statements and prints the given lines. */
function answer(...lines: string[]): void {
  writeFileSync(path.join(programs.folder, "answer"), lines.map((line) => `${line}\n`).join(""));
  programs.write(
    "mariadb",
    `for word; do case $word in --execute=*) echo "\${word#--execute=}" >> ${programs.folder}/asked ;; esac; done
cat ${programs.folder}/answer`,
  );
}
const asked = (): string[] => {
  const file = path.join(programs.folder, "asked");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
};

const LOG: MysqlVariableConfig = { variable: "general_log", with: { log_output: "FILE" } };
const make = (config: Partial<MysqlVariableConfig> = {}) =>
  mysqlVariableService(
    "log",
    { ...LOG, ...config },
    makeTools({ environment: programs.environment, stateFolder: state }),
  );

describe("a variable of MySQL", () => {
  test.each<[string, Partial<MysqlVariableConfig>, "on" | "off"]>([
    ["1", {}, "on"],
    ["on", {}, "on"],
    ["0", {}, "off"],
    ["OFF", {}, "off"],
    ["", {}, "off"],
    ["0.500000", { on: 0.5 }, "on"],
    ["ROW", { on: "row" }, "on"],
    ["MIXED", { on: "ROW" }, "off"],
  ])("that the server shows as %j with %j is %s", async (shown, config, wanted) => {
    answer(shown);
    expect(await make(config).observe()).toEqual({ state: wanted });
  });

  test("says until when it is on", async () => {
    answer("1");
    const until = new Date(Date.now() + 3_600_000);
    await writeSwitch(state, "log", { before: {}, until: until.toISOString() });
    const at = until.toTimeString().slice(0, 5);
    expect(await make().observe()).toEqual({ state: "on", detail: `until ${at}` });
    const past = new Date(Date.now() - 1_000);
    await writeSwitch(state, "log", { before: {}, until: past.toISOString() });
    expect((await make().observe()).detail).toMatch(/^it was to be off at \d\d:\d\d$/);
  });

  test("is off with a server that does not run, and unknown where it refuses", async () => {
    programs.write("mariadb", 'echo "ERROR 2002 (HY000): no" >&2; exit 1');
    expect(await make().observe()).toEqual({ state: "off", detail: "MySQL is not running" });
    programs.write("mariadb", 'echo "ERROR 1193 (HY000): Unknown variable" >&2; exit 1');
    expect(await make().observe()).toMatchObject({ state: "unknown" });
  });
});

describe("turning it on", () => {
  test("sets what goes with it first, and keeps what was before", async () => {
    answer("0", "TABLE");
    const plan = await make().plan("on", { state: "off" });
    expect(plan).toMatchObject({
      lines: [
        "SET GLOBAL log_output = 'FILE'; SET GLOBAL general_log = 'ON', as the user of ~/.my.cnf",
      ],
      danger: "writes",
      undo: "lcops machine off log",
    });
    await plan.run();
    expect(asked().at(-1)).toBe("SET GLOBAL log_output = 'FILE'; SET GLOBAL general_log = 'ON'");
    expect(await readSwitch(state, "log")).toEqual({
      before: { general_log: "0", log_output: "TABLE" },
    });
  });

  test("says when it is put back, the switch first", async () => {
    answer("0", "a'b\\c");
    const { lines } = await make({ minutes: 10 }).plan("on", { state: "off" });
    expect(lines[1]).toBe(
      "after 10 minutes: SET GLOBAL general_log = 0; SET GLOBAL log_output = 'a''b\\\\c'",
    );
  });

  test("has a session wait to put it back, and remembers which", async () => {
    answer("7");
    const plan = await make({ minutes: 0.05, with: {} }).plan("on", { state: "off" });
    await plan.run();
    expect(asked()).toContain("SELECT CONNECTION_ID(); DO SLEEP(3); SET GLOBAL general_log = 7");
    const record = await readSwitch(state, "log");
    expect(record?.session).toBe(7);
    expect(Date.parse(record?.until ?? "") - Date.now()).toBeLessThanOrEqual(3_000);
  });

  test("puts all back and forgets it where no session can wait", async () => {
    answer("no number");
    const plan = await make({ minutes: 1, with: {} }).plan("on", { state: "off" });
    await expect(plan.run()).rejects.toThrow("no session of MySQL waits to switch it off again");
    expect(asked().at(-1)).toBe("SET GLOBAL general_log = 'no number'");
    expect(await readSwitch(state, "log")).toBeUndefined();
  });
});

describe("turning it off", () => {
  const planOff = (config = {}) => make(config).plan("off", { state: "on" });

  test("puts back what lcops has changed", async () => {
    answer("1", "FILE");
    await writeSwitch(state, "log", { before: { general_log: "0", log_output: "TABLE" } });
    const plan = await planOff();
    expect(plan.lines).toEqual(["SET GLOBAL general_log = 0; SET GLOBAL log_output = 'TABLE'"]);
    await plan.run();
    expect(await readSwitch(state, "log")).toBeUndefined();
  });

  test("turns off what was on before lcops, and what somebody else has turned on", async () => {
    answer("1", "FILE");
    expect((await planOff()).lines).toEqual(["SET GLOBAL general_log = 'OFF'"]);
    await writeSwitch(state, "log", { before: { general_log: "1", log_output: "NONE" } });
    expect((await planOff()).lines).toEqual([
      "SET GLOBAL general_log = 'OFF'; SET GLOBAL log_output = 'NONE'",
    ]);
    expect((await planOff({ off: 0 })).lines[0]).toContain("SET GLOBAL general_log = 0");
  });

  test("ends the session that waits, and no other", async () => {
    answer("1", "FILE");
    await writeSwitch(state, "log", { before: { general_log: "0" }, session: 42 });
    await (await planOff()).run();
    const [look, kill] = asked().slice(-2);
    expect(look).toMatch(/PROCESSLIST WHERE ID = 42 AND INFO LIKE 'DO SLEEP\(%'$/);
    expect(kill).toBe("KILL 42");
  });
});
