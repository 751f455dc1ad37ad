/** Two tables whose sum never changes, while writers move money between them: what no dump may see half of. */
import { readFileSync } from "node:fs";
import type { Connection, ConnectionOptions } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import type { Server } from "../../src/services/mysql/open-server.ts";
import { openServer } from "../../src/services/mysql/open-server.ts";
import { withOptionFile } from "../../src/services/mysql/option-file.ts";
import { readInventory } from "../../src/services/mysql/read-inventory.ts";
import { openInOneMoment } from "../../src/services/mysql/synchronise.ts";
import type { LabDescription } from "../lab/lab.ts";
import { sendSql } from "./send-sql.ts";

export interface Bank {
  /** Dump both tables in lanes of their own, and return how far their sum is off; `dumper` is the program. */
  measureDrift(dumper: string, isSynchronised: boolean): Promise<number>;
  close(): Promise<void>;
}

const ACCOUNTS = 200;
const BALANCE = 1000;
const WRITERS = 2;

/** Opens a bank in the lab's primary, with its writers at work. */
export async function openBank(lab: LabDescription): Promise<Bank> {
  const { address, port } = lab.services.mysql?.primary ?? { address: "", port: 0 };
  const password = readFileSync(lab.services.mysql?.passwordFiles["app"] ?? "", "utf8");
  const rows = `SELECT seq, ${BALANCE} FROM seq_1_to_${ACCOUNTS}`;
  await sendSql(
    lab,
    `CREATE DATABASE bank; USE bank;
     CREATE TABLE left_ (id INT PRIMARY KEY, v INT); CREATE TABLE right_ (id INT PRIMARY KEY, v INT);
     INSERT INTO left_ ${rows}; INSERT INTO right_ ${rows};
     GRANT ALL ON bank.* TO app@'%';`,
  );
  const login: ConnectionOptions = { host: address, port, user: "app", password, database: "bank" };
  const stop = new AbortController();
  const writers = Promise.all(
    Array.from({ length: WRITERS }, (_, index) => write(login, index, stop.signal)),
  );
  writers.catch(() => undefined);
  const place = {
    name: "school",
    config: { kind: "mysql", port, user: "app" },
    endpoint: () => Promise.resolve({ host: address, port }),
    password: () => Promise.resolve(password),
  };
  return {
    measureDrift: async (dumper, isSynchronised) => {
      const opened = await openServer(place as never);
      const server = isSynchronised ? opened : withoutLocks(opened);
      try {
        const all = await readInventory(opened, []);
        const databases = all.filter(({ name }) => name === "bank");
        const lanes = ["left_", "right_"].map((table) => ({ database: "bank", tables: [table] }));
        return await withOptionFile(opened.login, async (optionFile) => {
          const { signal } = new AbortController();
          const program = { program: dumper, flavour: "mariadb" as const, version: "" };
          const environment = { PATH: process.env["PATH"] };
          const call = { dumper: program, login: opened.login, optionFile, environment, signal };
          const options = { signal, trace: () => undefined };
          const moment = await openInOneMoment(server, databases, lanes, call, options);
          const sums = await Promise.all(moment.lanes.map(({ content }) => sum(content)));
          await moment.close();
          return sums.reduce((one, other) => one + other) - 2 * ACCOUNTS * BALANCE;
        });
      } finally {
        await opened.close();
      }
    },
    close: async () => {
      stop.abort();
      await writers;
      await sendSql(lab, "DROP DATABASE bank; REVOKE ALL ON bank.* FROM app@'%'");
    },
  };
}

/** Moves money between the tables until it is stopped, a transaction at a time. */
async function write(login: ConnectionOptions, index: number, signal: AbortSignal): Promise<void> {
  const connection: Connection = await createConnection(login);
  while (!signal.aborted) {
    const [from, to] = Math.random() < 0.5 ? ["left_", "right_"] : ["right_", "left_"];
    // Accounts of its own: two writers never wait for each other.
    const id = 1 + index + WRITERS * Math.floor((Math.random() * ACCOUNTS) / WRITERS);
    try {
      await connection.query("START TRANSACTION");
      await connection.query(`UPDATE ${from} SET v = v - 7 WHERE id = ${id}`);
      await connection.query(`UPDATE ${to} SET v = v + 7 WHERE id = ${id}`);
      await connection.query("COMMIT");
    } catch (error) {
      // It holds one table, the lock of the snapshot the other: then it is the writer that must begin again.
      if ((error as { code?: string }).code !== "ER_LOCK_DEADLOCK") throw error;
    }
  }
  await connection.end();
}

/** The same server, which forgets to lock. */
function withoutLocks(server: Server): Server {
  return {
    ...server,
    connect: async () => {
      const session = await server.connect();
      return {
        ...session,
        query: (sql, values) =>
          /^(UN)?LOCK TABLES/.test(sql) ? Promise.resolve([]) : session.query(sql, values),
      };
    },
  };
}

async function sum(content: AsyncIterable<Buffer>): Promise<number> {
  let text = "";
  for await (const chunk of content) text += chunk.toString("latin1");
  return [...text.matchAll(/^\(\d+,(-?\d+)\)/gm)].reduce((total, [, v]) => total + Number(v), 0);
}
