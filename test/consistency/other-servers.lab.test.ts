import { setMaxListeners } from "node:events";
import { afterEach, expect, test } from "vitest";
import { checkHealth } from "../../src/consistency/check-health.ts";
import { openReader } from "../../src/services/mysql/open-reader.ts";
import { openServer } from "../../src/services/mysql/open-server.ts";
import { findCatchUp } from "../../src/services/mysql/read-replication.ts";
import { type Answer, type Script, startScriptedMysql } from "../support/scripted-mysql.ts";

/** MySQL 8, RDS and Aurora, of which none runs here: what they say, by the protocol, as their manuals have it. */
const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});
const { signal } = new AbortController();
setMaxListeners(0, signal);

async function open(name: string, version: string, script: Script) {
  const server = await startScriptedMysql(name, version, [...script, ...EVERY_SESSION(version)]);
  closers.push(server.close);
  const opened = await openServer(server.place, { signal });
  closers.push(opened.close);
  const reader = await openReader(opened);
  closers.push(reader.close);
  return { reader, asked: server.asked };
}
const EVERY_SESSION = (version: string): Script => [
  [
    /^SELECT @@version/,
    [{ version, comment: "MySQL Community Server - GPL", server_id: 1, host: "h", port: 3306 }],
  ],
  [/server_uuid'$/, [{ Variable_name: "server_uuid", Value: "a-uuid" }]],
  [/max_allowed_packet/, [{ packet: 67_108_864 }]],
  [/^SET SESSION/, [{ done: 1 }]],
];
/** `SHOW GLOBAL VARIABLES`, of which those that differ are named. */
const variables = (values: Record<string, string>): Script => [
  [
    /^SHOW GLOBAL VARIABLES WHERE/,
    Object.entries(values).map(([name, Value]) => ({ Variable_name: name, Value })),
  ],
];
const PRIMARY = { server_uuid: "u1", server_id: "1", read_only: "OFF", version_comment: "x" };
const REPLICA = { server_uuid: "u2", server_id: "2", read_only: "ON" };
/** SHOW REPLICA STATUS of MySQL 8.0.22 and later, as far as it is read. */
const channel = (name: string, sourceId: number, more: object = {}) => ({
  Replica_IO_State: "Waiting for source to send event",
  Source_Host: `source-${sourceId}`,
  Source_Port: 3306,
  Replica_IO_Running: "Yes",
  Replica_SQL_Running: "Yes",
  Replicate_Do_DB: "",
  Last_Errno: 0,
  Last_Error: "",
  Seconds_Behind_Source: 0 as number | null,
  Last_IO_Error: "",
  Last_SQL_Error: "",
  Source_Server_Id: sourceId,
  SQL_Delay: 0,
  Channel_Name: name,
  ...more,
});
const DENIED = { code: 1227, message: "Access denied; you need the REPLICATION CLIENT privilege" };

async function judge(primary: Script, replica: Script, catchUpLimit = 1) {
  const one = await open("school", "8.0.36", primary);
  const other = await open("school-replica", "8.0.36", replica);
  const catchUp = await findCatchUp(one.reader, other.reader, signal);
  const { report, obstacle } = await checkHealth(one.reader, other.reader, {
    names: ["school", "school-replica"],
    maxLagSeconds: catchUpLimit,
    catchUp,
    signal,
  });
  const found = report.findings.map(({ kind, detail }) => `${kind}: ${detail}`);
  return { report, obstacle, found, one, other, catchUp };
}
const gtidOf = (mode: string): Script => [
  [/LIKE 'gtid_mode'$/, [{ Variable_name: "gtid_mode", Value: mode }]],
];
const EXECUTED =
  "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-23,\n4e11fa47-71ca-11e1-9e33-c80aa9429562:1-5";
const executed: Script = [[/gtid_executed/, [{ executed: EXECUTED }]]];

test("with MySQL's GTIDs the whole set of the primary is waited for, in steps of a second", async () => {
  let looks = 0;
  const wait = (): Answer => [{ result: ++looks < 3 ? 1 : 0 }];
  const { reader: primary } = await open("school", "8.4.2", [...gtidOf("ON"), ...executed]);
  const replica = await open("school-replica", "8.4.2", [[/WAIT_FOR_EXECUTED_GTID_SET/, wait]]);
  const catchUp = await findCatchUp(primary, replica.reader, signal);
  expect(await catchUp?.(10)).toBe(true);
  expect(looks).toBe(3);
  expect(replica.asked.at(-1)).toBe(
    `SELECT WAIT_FOR_EXECUTED_GTID_SET('${EXECUTED.replace("\n", "\\n")}', 1) AS result`,
  );
  looks = -10;
  expect(await catchUp?.(2)).toBe(false);
  expect(looks).toBe(-8);
});

test("of several channels the one that leads to the primary counts, whatever the others do", async () => {
  const rows = [
    channel("other", 7, { Replica_SQL_Running: "No", Seconds_Behind_Source: null }),
    channel("school", 1),
  ];
  const replica: Script = [
    ...variables(REPLICA),
    [/^SHOW REPLICA STATUS/, rows],
    [/WAIT_FOR_EXECUTED_GTID_SET/, [{ result: 0 }]],
  ];
  const primary = [...variables(PRIMARY), ...gtidOf("ON"), ...executed];
  expect(await judge(primary, replica)).toMatchObject({ found: [], obstacle: undefined });

  const spoilt = [
    channel("other", 7),
    channel("school", 1, { Replica_IO_Running: "No", Last_IO_Error: "error connecting to source" }),
  ];
  const stopped = await judge(primary, [...variables(REPLICA), [/^SHOW REPLICA STATUS/, spoilt]]);
  expect(stopped.found).toEqual([
    "stopped: the replica is stopped: it is not receiving: error connecting to source",
  ]);

  const strange = await judge(primary, [
    ...variables(REPLICA),
    [/^SHOW REPLICA STATUS/, [channel("a", 7), channel("b", 8)]],
  ]);
  expect(strange.found).toEqual([
    "other-source: it follows source-7:3306 (server_id 7), and not school (server_id 1)",
  ]);
});

test("without GTIDs the place in the binary log is waited for on that channel", async () => {
  const primary: Script = [
    ...variables(PRIMARY),
    ...gtidOf("OFF"),
    [/^SELECT @@server_id AS id/, [{ id: 1 }]],
    [/^SHOW BINARY LOG STATUS/, [{ File: "binlog.000007", Position: 157 }]],
  ];
  const { found, other } = await judge(primary, [
    ...variables(REPLICA),
    [/^SHOW REPLICA STATUS/, [channel("other", 7), channel("school", 1)]],
    [/^SELECT 'SOURCE_POS_WAIT' AS word, .*'school'/, [{ word: "SOURCE_POS_WAIT", x: null }]],
    [/^SELECT SOURCE_POS_WAIT/, [{ result: 0 }]],
  ]);
  expect(found).toEqual([]);
  expect(other.asked.at(-1)).toBe(
    "SELECT SOURCE_POS_WAIT('binlog.000007', 157, 1, 'school') AS result",
  );
});

test("where RDS lets no user ask, its own procedure is asked; where nobody may, that is said", async () => {
  const primary = [...variables(PRIMARY), ...gtidOf("ON"), ...executed];
  const before: Script = [
    ...variables(REPLICA),
    [/^SHOW (REPLICA|SLAVE) STATUS/, DENIED],
    [/WAIT_FOR_EXECUTED_GTID_SET/, [{ result: 0 }]],
  ];
  const asked = await judge(primary, [
    ...before,
    [/^CALL mysql.rds_replica_status/, [channel("", 1, { SQL_Delay: 3_600 })]],
  ]);
  expect(asked.found).toEqual(["delayed: it is told to stay 3600 s behind"]);
  const denied = await judge(primary, before);
  expect(denied.report.skipped[0]?.why).toMatch(/REPLICATION CLIENT privilege; GRANT REPLICA/);
});

test("a reader of Aurora is judged by its cluster's own words, and its rows are its writer's", async () => {
  const aurora = { aurora_version: "3.05.2", read_only: "OFF" };
  const primary: Script = [
    ...variables({ ...aurora, aurora_server_id: "writer", innodb_read_only: "OFF" }),
    ...gtidOf("OFF_PERMISSIVE"),
    [
      /^SHOW (BINARY LOG|MASTER) STATUS/,
      { code: 1381, message: "You are not using binary logging" },
    ],
  ];
  const reader = (lag: number): Script => [
    ...variables({ ...aurora, aurora_server_id: "reader", innodb_read_only: "ON" }),
    [/replica_host_status/, [{ lag }]],
  ];
  const well = await judge(primary, reader(18.5));
  expect(well).toMatchObject({
    found: [],
    catchUp: undefined,
    obstacle: "a reader of Aurora shares the storage of its writer",
  });
  expect(well.report.skipped).toEqual([]);
  expect((await judge(primary, reader(4_200))).found).toEqual([
    "lag: it is 4.2 s behind its writer",
  ]);
  // The reader endpoint of a cluster without readers leads to its writer.
  const same = await judge(primary, [
    ...variables({ ...aurora, aurora_server_id: "writer", innodb_read_only: "OFF" }),
    [/^SHOW REPLICA STATUS/, []],
  ]);
  expect(same.found).toContain("same-server: both names lead to one and the same server");
});
