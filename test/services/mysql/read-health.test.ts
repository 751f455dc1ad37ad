import { expect, test } from "vitest";
import { judgeReplica } from "../../../src/services/mysql/read-health.ts";
import type { HealthState } from "../../../src/system/reading.ts";

test.each<[string, Parameters<typeof judgeReplica>[0], HealthState, RegExp]>([
  ["none", undefined, "fail", /no replica/],
  [
    "MariaDB's, late",
    { Slave_IO_Running: "Yes", Slave_SQL_Running: "Yes", Seconds_Behind_Master: 61 },
    "warn",
    /^61 s behind$/,
  ],
  [
    "MySQL's, very late",
    { Replica_IO_Running: "Yes", Replica_SQL_Running: "Yes", Seconds_Behind_Source: 900 },
    "fail",
    /^900 s behind$/,
  ],
  [
    "one that does not connect",
    {
      Slave_IO_Running: "Connecting",
      Slave_SQL_Running: "Yes",
      Seconds_Behind_Master: null,
      Last_IO_Error: "error connecting",
    },
    "fail",
    /^reading has stopped: error connecting$/,
  ],
  [
    "one that stands still",
    {
      Slave_IO_Running: "Yes",
      Slave_SQL_Running: "No",
      Seconds_Behind_Master: null,
      Last_SQL_Errno: "1062",
      // Values of rows, and whole statements, stand in it.
      Last_SQL_Error:
        "Could not execute Write_rows_v1 event on table shop.users; Duplicate entry 'anna@example.com' for key 'email'",
    },
    "fail",
    /^applying has stopped: error 1062 in applying to shop\.users; its own SHOW REPLICA STATUS has the words$/,
  ],
  [
    "one that does not say",
    { Slave_IO_Running: "Yes", Slave_SQL_Running: "Yes", Seconds_Behind_Master: null },
    "unknown",
    /does not say/,
  ],
])("a replica: %s", (_what, row, state, detail) => {
  expect(judgeReplica(row)).toEqual([state, expect.stringMatching(detail)]);
});
