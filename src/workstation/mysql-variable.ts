import { describeError, OperatorError } from "../system/errors.ts";
import { startDetached } from "../system/program.ts";
import { countOf } from "../system/quantities.ts";
import { askMysql, MysqlNotRunning, mysqlWords } from "./ask-mysql.ts";
import type {
  MachineChange,
  MachineService,
  MachineTools,
  Observation,
} from "./machine-service.ts";
import { systemEnvironment } from "./run-as-root.ts";
import { forgetSwitch, readSwitch, type SwitchRecord, writeSwitch } from "./switch-record.ts";

const START_LIMIT_MS = 10_000;

type Value = string | number;

export interface MysqlVariableConfig {
  variable: string;
  on?: Value | undefined;
  off?: Value | undefined;
  with?: Readonly<Record<string, Value>> | undefined;
  minutes?: number | undefined;
  socket?: string | undefined;
}

/**
 * Given a variable of the MySQL on this machine, return it as a service of the panel. What it and those that go with it were before is written down
 * and put back. With `minutes` a session of the server's own waits from the beginning to put them back, whatever becomes of lcops.
 */
export function mysqlVariableService(
  name: string,
  config: MysqlVariableConfig,
  tools: MachineTools,
): MachineService {
  const { environment, stateFolder } = tools;
  const query = { environment, socket: config.socket };
  return {
    observe: () => observe(name, config, tools),
    plan: async (to) => {
      const record = await readSwitch(stateFolder, name);
      const names = [config.variable, ...Object.keys(config.with ?? {})];
      const { lines, as } = await askMysql(
        names.map((variable) => `SELECT @@GLOBAL.${variable}`).join(";"),
        query,
      );
      const before = Object.fromEntries(names.map((variable, at) => [variable, lines[at] ?? ""]));
      if (to === "off") return planOff(config, record, { name, tools });
      return planOn(config, before, { name, as, tools });
    },
  };
}

async function observe(
  name: string,
  { variable, on = "ON", socket }: MysqlVariableConfig,
  { environment, stateFolder }: MachineTools,
): Promise<Observation> {
  const record = await readSwitch(stateFolder, name);
  try {
    const { lines } = await askMysql(`SELECT @@GLOBAL.${variable}`, { environment, socket });
    const isOn = isSame(lines[0] ?? "", on);
    if (!isOn) return { state: "off" };
    if (record?.until === undefined) return { state: "on" };
    const until = new Date(record.until);
    return {
      state: "on",
      detail:
        until.getTime() > Date.now()
          ? `until ${until.toTimeString().slice(0, 5)}`
          : `it was to be off at ${until.toTimeString().slice(0, 5)}`,
    };
  } catch (error) {
    if (error instanceof MysqlNotRunning) return { state: "off", detail: error.message };
    if (error instanceof OperatorError && error.kind === "missing")
      return { state: "not installed" };
    return { state: "unknown", detail: describeError(error) };
  }
}

/** What the server shows as 1 may be written as ON. */
function isSame(shown: string, written: Value): boolean {
  const normal = (value: string): string =>
    ({ ON: "1", OFF: "0" })[value.toUpperCase()] ?? value.toUpperCase();
  const [left, right] = [normal(shown), normal(String(written))];
  return left === right || (left !== "" && Number(left) === Number(right));
}

/** The schema lets no quote and no backslash into a value that an operator writes; the server's own may hold any. */
function setStatement(values: Readonly<Record<string, Value>>): string {
  const quote = (value: Value): string => {
    const text = String(value);
    return /^-?\d+(\.\d+)?$/.test(text)
      ? text
      : `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
  };
  return Object.entries(values)
    .map(([variable, value]) => `SET GLOBAL ${variable} = ${quote(value)}`)
    .join("; ");
}

interface Whose {
  name: string;
  tools: MachineTools;
}

function planOn(
  config: MysqlVariableConfig,
  before: Record<string, string>,
  { name, as, tools }: Whose & { as: "user" | "root" },
): MachineChange {
  const { environment, stateFolder } = tools;
  const query = { environment, socket: config.socket };
  const { minutes } = config;
  // What goes with it comes first: it says where the log is written.
  const set = { ...config.with, [config.variable]: config.on ?? "ON" };
  // The switch itself is put back first.
  const restore = setStatement(before);
  return {
    lines: [
      `${setStatement(set)}, as ${as === "root" ? "root" : "the user of ~/.my.cnf"}`,
      ...(minutes === undefined ? [] : [`after ${countOf(minutes, "minute")}: ${restore}`]),
    ],
    danger: "writes",
    undo: `lcops machine off ${name}`,
    run: async () => {
      await cancelSwitch(await readSwitch(stateFolder, name), query);
      const record: SwitchRecord = {
        before,
        ...(minutes !== undefined && {
          until: new Date(Date.now() + minutes * 60_000).toISOString(),
        }),
      };
      await writeSwitch(stateFolder, name, record);
      try {
        if (minutes !== undefined) {
          const session = await waitToRestore(minutes, restore, { ...query, as });
          await writeSwitch(stateFolder, name, { ...record, session });
        }
        await askMysql(setStatement(set), query);
      } catch (error) {
        await askMysql(restore, query).catch(() => undefined);
        await cancelSwitch(await readSwitch(stateFolder, name), query);
        await forgetSwitch(stateFolder, name);
        throw error;
      }
    },
  };
}

/** A client in a session of its own, logged in now, that puts the values back then: it needs neither lcops nor another permission. */
async function waitToRestore(
  minutes: number,
  restore: string,
  {
    as,
    ...query
  }: { environment: NodeJS.ProcessEnv; socket: string | undefined; as: "user" | "root" },
): Promise<number> {
  const sql = `SELECT CONNECTION_ID(); DO SLEEP(${minutes * 60}); ${restore}`;
  const [program = "", ...args] = await mysqlWords(sql, query, as);
  const said = await startDetached(program, args, {
    environment: systemEnvironment(query.environment),
    timeoutMs: START_LIMIT_MS,
  });
  if (/^\d+$/.test(said)) return Number(said);
  throw new OperatorError("failed", "no session of MySQL waits to switch it off again", {
    next: "look whether this user may log in twice",
  });
}

function planOff(
  config: MysqlVariableConfig,
  record: SwitchRecord | undefined,
  { name, tools }: Whose,
): MachineChange {
  const { environment, stateFolder } = tools;
  const query = { environment, socket: config.socket };
  const before = record?.before ?? {};
  const isOwn = isSame(before[config.variable] ?? "", config.off ?? "OFF");
  // It was on before lcops turned it on, or somebody else did: off is what is asked for now.
  const values = isOwn
    ? before
    : { [config.variable]: config.off ?? "OFF", ...dropSwitch(before, config) };
  return {
    lines: [setStatement(values)],
    danger: "writes",
    undo: `lcops machine on ${name}`,
    run: async () => {
      await askMysql(setStatement(values), query);
      await cancelSwitch(record, query);
      await forgetSwitch(stateFolder, name);
    },
  };
}

function dropSwitch(
  before: Readonly<Record<string, string>>,
  { variable }: MysqlVariableConfig,
): Record<string, string> {
  return Object.fromEntries(Object.entries(before).filter(([name]) => name !== variable));
}

/** Ends the session that waits; it may have ended, or the server with it. */
async function cancelSwitch(
  record: SwitchRecord | undefined,
  query: { environment: NodeJS.ProcessEnv; socket: string | undefined },
): Promise<void> {
  if (record?.session === undefined) return;
  const { lines } = await askMysql(
    `SELECT ID FROM information_schema.PROCESSLIST WHERE ID = ${record.session} AND INFO LIKE 'DO SLEEP(%'`,
    query,
  );
  if (lines.length > 0) await askMysql(`KILL ${record.session}`, query).catch(() => undefined);
}
