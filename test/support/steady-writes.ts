import { readFileSync } from "node:fs";
import { createConnection } from "mysql2/promise";
import type { ReplicaPair } from "./replica-pair.ts";

export interface SteadyWrites {
  count: () => number;
  stop: () => Promise<void>;
}

const WRITERS = 2;

/**
 * Given a pair and a table `(id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR)` with so many rows, write to it on the primary without a pause: rows are changed, added
 * and removed, one of them to and fro. Rows of `spared` are left alone.
 */
export async function startWrites(
  pair: ReplicaPair,
  table: string,
  rows: number,
  spared: readonly number[],
): Promise<SteadyWrites> {
  const mysql = pair.lab.services.mysql;
  const password = readFileSync(mysql?.passwordFiles["root"] ?? "", "utf8");
  const login = { socketPath: mysql?.primary.socket ?? "", user: "root", password };
  let isOver = false;
  let count = 0;
  const writers = Array.from({ length: WRITERS }, async () => {
    const connection = await createConnection(login);
    const write = async (sql: string, values: unknown[] = []): Promise<void> => {
      await connection.query(sql, values);
      count++;
    };
    for (let turn = 0; !isOver; turn++) {
      const id = 1 + Math.floor(Math.random() * rows);
      if (!spared.includes(id))
        await write(`UPDATE ${table} SET name = CONCAT('c', RAND()) WHERE id = ?`, [id]);
      await write(`UPDATE ${table} SET name = ? WHERE id = 2`, [turn % 2 === 0 ? "to" : "fro"]);
      await write(`INSERT INTO ${table} (name) VALUES ('new')`);
      await write(`DELETE FROM ${table} WHERE id > ${rows} ORDER BY id LIMIT 1`);
    }
    await connection.end();
  });
  for (const writer of writers) writer.catch(() => undefined);
  return {
    count: () => count,
    stop: async () => {
      isOver = true;
      await Promise.all(writers);
    },
  };
}
