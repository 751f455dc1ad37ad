/** Money that writers move between two databases all the while: wherever two parts of a dump show two moments, its sum is another one. */
import type { DriverOptions } from "../../src/services/backup-driver.ts";
import { dumpMysql } from "../../src/services/mysql/dump.ts";
import { type DumpCall, findDumper } from "../../src/services/mysql/dumper.ts";
import { openServer, type Session } from "../../src/services/mysql/open-server.ts";
import { withOptionFile } from "../../src/services/mysql/option-file.ts";
import { readInventory } from "../../src/services/mysql/read-inventory.ts";
import { openInOneMoment, planLanes } from "../../src/services/mysql/synchronise.ts";
import { startScratchMysql } from "./scratch-mysql.ts";
import type { ServicePlace } from "../../src/reach/service-place.ts";

const BANKS = ["bank_a", "bank_b"] as const;
const ACCOUNTS = 3_000;
const WRITERS = 3;
/** What all accounts have together, always. */
export const ALL_MONEY = BANKS.length * ACCOUNTS * 1_000;

export interface Bank {
  /** What a dump by the driver shows: the money in it, and where its counts are not those of its rows. */
  dump(): Promise<{ money: number; wrong: string[]; level: string; transfers: number }>;
  /** The same programs, started as the driver starts them, but with no table locked: what money they show. */
  dumpUnsynchronised(): Promise<number>;
  close(): Promise<void>;
}

/** Starts a MariaDB as a drill does, with writers that move money from one database to the other. Undefined where this machine has none. */
export async function startBank(): Promise<Bank | undefined> {
  const scratch = await startScratchMysql();
  if (!scratch) return undefined;
  const { place, options, close } = scratch;
  const writers = await startWriters(place).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    dump: async () => ({ ...(await dumpSums(place, options)), transfers: writers.count() }),
    dumpUnsynchronised: () => sumWithoutLock(place, options),
    close: async () => {
      await writers.stop();
      await close();
    },
  };
}

async function startWriters(
  place: ServicePlace,
): Promise<{ count: () => number; stop: () => Promise<void> }> {
  const server = await openServer(place);
  for (const bank of BANKS) {
    await server.query(`CREATE DATABASE ${bank}`);
    await server.query(`CREATE TABLE ${bank}.accounts (id INT PRIMARY KEY, balance INT NOT NULL)`);
    await server.query(
      `INSERT INTO ${bank}.accounts SELECT seq, 1000 FROM ${bank}.seq_1_to_${ACCOUNTS}`,
    );
    await server.query(
      `CREATE TABLE ${bank}.ledger (id INT AUTO_INCREMENT PRIMARY KEY, what CHAR(1) NOT NULL)`,
    );
  }
  let isOver = false;
  let count = 0;
  const move = async (session: Session): Promise<void> => {
    const account = (): number => 1 + Math.floor(Math.random() * ACCOUNTS);
    const amount = Math.floor(Math.random() * 100) - 50;
    await session.query("START TRANSACTION");
    const [from, to] = BANKS;
    await session.query(`UPDATE ${from}.accounts SET balance = balance - ? WHERE id = ?`, [
      amount,
      account(),
    ]);
    await session.query(`INSERT INTO ${from}.ledger (what) VALUES ('t')`);
    await session.query(`UPDATE ${to}.accounts SET balance = balance + ? WHERE id = ?`, [
      amount,
      account(),
    ]);
    await session.query(`INSERT INTO ${to}.ledger (what) VALUES ('t')`);
    await session.query("COMMIT");
    count++;
  };
  const writers = Array.from({ length: WRITERS }, async () => {
    const session = await server.connect();
    while (!isOver) {
      // Two writers may wait for each other: the server undoes one of them.
      await move(session).catch(() => session.query("ROLLBACK"));
    }
    await session.close();
  });
  return {
    count: () => count,
    stop: async () => {
      isOver = true;
      await Promise.all(writers);
      await server.close();
    },
  };
}

async function dumpSums(
  place: ServicePlace,
  options: DriverOptions,
): Promise<{ money: number; wrong: string[]; level: string }> {
  let money = 0;
  const entries = new Map<string, number>();
  const outcome = await dumpMysql(
    place,
    {
      refer: () => undefined,
      write: async (part, content) => {
        const text = await readAll(content);
        money += sumBalances(text);
        if (part.object.endsWith(".ledger"))
          entries.set(part.object, (text.match(/,'t'\)/g) ?? []).length);
        const digest = { bytes: text.length, sha256: "" };
        return { ...part, plain: digest, stored: digest, codec: [] };
      },
    },
    options,
  );
  const wrong = BANKS.flatMap((bank) => {
    const written = entries.get(`${bank}.ledger`);
    const counted = outcome.facts.find(({ object }) => object === `${bank}.ledger`)?.rows;
    return written === counted ? [] : [`${bank}: ${written} rows, and ${counted} were counted`];
  });
  return { money, wrong, level: outcome.consistency.level };
}

async function sumWithoutLock(place: ServicePlace, options: DriverOptions): Promise<number> {
  const server = await openServer(place);
  try {
    return await withOptionFile(server.login, async (optionFile) => {
      const { environment, signal } = options;
      const dumper = await findDumper(server.flavour, environment);
      const call: DumpCall = { dumper, login: server.login, optionFile, environment, signal };
      const lanes = planLanes(await readInventory(server, []), options.parallel);
      // Without tables there is nothing to lock; the lanes are those of the driver.
      const moment = await openInOneMoment(server, [], lanes, call, options);
      try {
        const texts = await Promise.all(moment.lanes.map(({ content }) => readAll(content)));
        return texts.reduce((sum, text) => sum + sumBalances(text), 0);
      } finally {
        await moment.close();
      }
    });
  } finally {
    await server.close();
  }
}

async function readAll(content: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks).toString("latin1");
}

/** Rows of two numbers are accounts. */
const sumBalances = (text: string): number =>
  [...text.matchAll(/\(\d+,(-?\d+)\)/g)].reduce((sum, [, balance]) => sum + Number(balance), 0);
