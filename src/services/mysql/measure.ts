import pLimit from "p-limit";
import type { DriverOptions, Fact, ServicePlace } from "../backup-driver.ts";
import { makeDigestSink } from "./digest-sink.ts";
import { checksumOf, countRows, writeOthers } from "./dump.ts";
import { type DumpCall, runDumper } from "./dumper.ts";
import type { Server } from "./open-server.ts";
import { type Database, readInventory } from "./read-inventory.ts";
import { splitDump } from "./split-dump.ts";
import { planLanes } from "./synchronise.ts";
import { withDumper } from "./with-dumper.ts";

/** Given a place, databases and tables of it, return their facts as a dump of them now gives them. */
export function measureMysql(
  place: ServicePlace,
  wanted: ReadonlySet<string>,
  options: DriverOptions,
): Promise<Fact[]> {
  return withDumper(place, options, (server, call) =>
    measureAll(server, call, wanted, options.parallel),
  );
}

async function measureAll(
  server: Server,
  call: DumpCall,
  wanted: ReadonlySet<string>,
  parallel: number,
): Promise<Fact[]> {
  const databases = (await readInventory(server, [])).flatMap((database): Database[] => {
    const tables = database.tables.filter(({ name }) => wanted.has(`${database.name}.${name}`));
    return wanted.has(database.name) || tables.length > 0 ? [{ ...database, tables }] : [];
  });
  const facts: Fact[] = [];
  const sink = makeDigestSink();
  const limit = pLimit(parallel);
  const rows = await countRows(server, databases);
  await Promise.all(
    planLanes(databases, parallel).map(({ database, tables }) =>
      limit(() => {
        const content = runDumper(call, ["--triggers"], [database, ...tables]);
        return splitDump(content, tables, async (table, text) => {
          const object = `${database}.${table}`;
          const record = await sink.write({ path: object, object, role: "table", seq: 0 }, text);
          const counted = rows.get(object);
          facts.push({
            object,
            checksum: checksumOf(record, call.dumper.version),
            ...(counted !== undefined && { rows: counted }),
          });
        });
      }),
    ),
  );
  const others = await writeOthers(server, databases, call, sink);
  return [...facts, ...others.facts].filter(({ object }) => wanted.has(object));
}
