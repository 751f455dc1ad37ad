import { createHash } from "node:crypto";
import pLimit from "p-limit";
import type { DriverOptions, PartSink } from "../backup-driver.ts";
import type { Fact } from "../set-content.ts";
import { countRows, writeOthers } from "./dump.ts";
import type { DumpCall } from "./dumper.ts";
import type { Server } from "./open-server.ts";
import { type Database, readInventory } from "./read-inventory.ts";
import { parseSplit, type Split } from "./split-table.ts";
import { dumpLane, type Lane, planLanes } from "./synchronise.ts";
import { withDumper } from "./with-dumper.ts";
import { writeTables } from "./write-tables.ts";
import type { ServicePlace } from "../../reach/service-place.ts";

/** Given a place and facts, return the facts of the same databases and tables as a dump of them now gives them, at the same bounds. */
export function measureMysql(
  place: ServicePlace,
  expected: readonly Fact[],
  options: DriverOptions,
): Promise<Fact[]> {
  return withDumper(place, options, (server, call) =>
    measureAll(server, call, expected, options.parallel),
  );
}

async function measureAll(
  server: Server,
  call: DumpCall,
  expected: readonly Fact[],
  parallel: number,
): Promise<Fact[]> {
  const wanted = new Set(expected.map(({ object }) => object));
  const databases = (await readInventory(server, [])).flatMap((database): Database[] => {
    const tables = database.tables.filter(({ name }) => wanted.has(`${database.name}.${name}`));
    return wanted.has(database.name) || tables.length > 0 ? [{ ...database, tables }] : [];
  });
  const splits = new Map(
    expected.flatMap(({ object, checksum }): [string, Split][] => {
      const split = parseSplit(checksum);
      return split ? [[object, split]] : [];
    }),
  );
  const sink = makeDigestSink();
  const rows = await countRows(server, databases);
  const limit = pLimit(parallel);
  const lanes = planLanes(databases, parallel, splits).map((lane) => ({
    lane,
    content: dumpLater(call, lane, limit),
  }));
  const facts = await writeTables(lanes, splits, { server, call, sink });
  const others = await writeOthers(server, databases, call, sink);
  return [
    ...facts.map((fact) => {
      const counted = rows.get(fact.object);
      return counted === undefined ? fact : { ...fact, rows: counted };
    }),
    ...others.facts,
  ].filter(({ object }) => wanted.has(object));
}

/** Nothing is written to the place: here a lane may wait, and begin when there is room for it. */
async function* dumpLater(
  call: DumpCall,
  lane: Lane,
  limit: ReturnType<typeof pLimit>,
): AsyncIterable<Buffer> {
  let free: () => void = () => undefined;
  await new Promise<void>((begin) => {
    void limit(() => {
      begin();
      return new Promise<void>((resolve) => (free = resolve));
    });
  });
  try {
    yield* dumpLane(call, lane);
  } finally {
    free();
  }
}

/** Returns a sink that stores nothing: its records say what the parts would be. */
export function makeDigestSink(): PartSink {
  return {
    refer: () => {
      throw new Error("there is no earlier set");
    },
    write: async (part, content) => {
      const hash = createHash("sha256");
      let bytes = 0;
      for await (const chunk of content) {
        hash.update(chunk);
        bytes += chunk.length;
      }
      const digest = { bytes, sha256: hash.digest("hex") };
      return { ...part, plain: digest, stored: digest, codec: [] };
    },
  };
}
