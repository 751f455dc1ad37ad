import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compareRows } from "../../src/consistency/compare-rows.ts";
import { draftReport } from "../../src/consistency/report.ts";
import { makeSteer } from "../../src/consistency/steer.ts";
import { openReader, type Reader } from "../../src/services/mysql/open-reader.ts";
import { openServer } from "../../src/services/mysql/open-server.ts";
import { findCatchUp } from "../../src/services/mysql/read-replication.ts";
import { readStructure } from "../../src/services/mysql/read-structure.ts";
import { type ReplicaPair, startPair } from "../support/replica-pair.ts";
import { stateOf } from "../support/lab.ts";

/** What is behind is no difference, also where there is no GTID, and where nobody can say how far it is. */
const withPair = test.skipIf(stateOf("replica") === "absent");
let pair: ReplicaPair;
const readers: Reader[] = [];
const { signal } = new AbortController();
beforeAll(async () => {
  const started = await startPair();
  if (!started) return;
  pair = started;
  await pair.primary(
    `CREATE DATABASE shop; GRANT SELECT ON shop.* TO app@'%'; USE shop; CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(60) NOT NULL) ENGINE=InnoDB;
     INSERT INTO customers SELECT seq, CONCAT('customer ', seq) FROM seq_1_to_1000;`,
  );
  await pair.settle();
  const { mysql } = pair.lab.services;
  for (const side of [mysql?.primary, mysql?.replica]) {
    const { address, port } = side ?? { address: "", port: 0 };
    const server = await openServer({
      name: "school",
      config: { kind: "mysql", port, user: "app" },
      endpoint: () => Promise.resolve({ host: address, port }),
      password: () => Promise.resolve(readFileSync(mysql?.passwordFiles["app"] ?? "", "utf8")),
    });
    readers.push(await openReader(server));
  }
}, 60_000);
afterAll(async () => {
  for (const { close, server } of readers) {
    await close();
    await server.close();
  }
  await pair?.stop();
});

withPair("without GTIDs it is waited for the place in the binary log", async () => {
  const [primary, replica] = readers.map((reader) => ({
    ...reader,
    server: { ...reader.server, flavour: "mysql" as const },
  }));
  if (!primary || !replica) throw new Error("there is no pair");
  const catchUp = await findCatchUp(primary, replica, signal);
  await pair.settle();
  expect(await catchUp?.(10)).toBe(true);
  await pair.replica("STOP SLAVE SQL_THREAD");
  await pair.primary("UPDATE shop.customers SET name = 'new' WHERE id = 1");
  expect(await catchUp?.(1)).toBe(false);
  const later = catchUp?.(20);
  await pair.replica("START SLAVE SQL_THREAD");
  await later;
  expect(await catchUp?.(20)).toBe(true);
});

withPair(
  "where nothing tells how far it is, a difference must last",
  async () => {
    const [first, second] = readers;
    if (!first || !second) throw new Error("there is no pair");
    const [table] = await readStructure(first, "shop");
    if (!table) throw new Error("there is no table");
    const look = async (): Promise<unknown> => {
      const draft = draftReport("replica", "shop");
      const steer = makeSteer(() => [first, second], undefined, {
        signal,
        until: undefined,
        maxRunning: 1_000,
        maxLagSeconds: 10,
      });
      await compareRows(
        { first: table, second: table },
        {
          pair: {
            names: ["school", "school-replica"],
            first,
            second,
            databases: [["shop", "shop"]],
            catchUp: undefined,
            patienceMs: 3_000,
          },
          steer,
          draft,
          update: () => undefined,
          passed: () => undefined,
        },
      );
      return draft.end().findings.map(({ key, kind }) => [key, kind]);
    };
    await pair.settle();
    await pair.replica("STOP SLAVE SQL_THREAD");
    await pair.primary("DELETE FROM shop.customers WHERE id = 2");
    const seen = look();
    await wait(1_000);
    await pair.replica("START SLAVE SQL_THREAD");
    expect(await seen).toEqual([]);
    await pair.replica("DELETE FROM shop.customers WHERE id = 3");
    expect(await look()).toEqual([["id=3", "missing"]]);
  },
  60_000,
);
