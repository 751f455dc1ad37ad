import { expect, test } from "vitest";
import { mysql } from "../../../src/services/mysql/mysql.ts";
import { type MysqlConfig, replicaOf } from "../../../src/services/mysql/settings.ts";

const school: MysqlConfig = { kind: "mysql", host: "db", address: "10.0.0.1", port: 3306 };

test("a replica has the settings of its server, but for those of its own", () => {
  expect(replicaOf(school)).toBeUndefined();
  const replica = { address: "10.0.0.2", port: 3307 };
  expect(replicaOf({ ...school, user: "reader", replica })).toEqual({
    ...school,
    ...replica,
    user: "reader",
    replica,
  });
  expect(replicaOf({ ...school, replica: { host: undefined } })).toMatchObject(school);
});

test.each([
  [undefined, []],
  [{ port: 3307 }, []],
  [{ host: "db" }, []],
  [{ host: "gone" }, [{ path: ["replica", "host"], message: "there is no host gone" }]],
  [{ host: "toString" }, [{ path: ["replica", "host"], message: "there is no host toString" }]],
])("the host of a replica %j is looked for", (replica, mistakes) => {
  expect(mysql.checkService?.({ ...school, replica }, { hosts: { db: {} } })).toEqual(mistakes);
});
