import type { PartSink } from "../backup-driver.ts";
import type { Fact, PartRecord } from "../set-content.ts";
import { encodePartName } from "../part-name.ts";
import { type DumpCall, runDumper } from "./dumper.ts";
import { quoteName, type Server } from "./open-server.ts";
import { passTriggers, splitDump } from "./split-dump.ts";
import { checksumOfSplit, type Splits } from "./split-table.ts";
import { type Lane, markOf } from "./synchronise.ts";

export interface WriteOptions {
  server: Server;
  call: DumpCall;
  sink: PartSink;
  /** Told how many tables are written. */
  tell?: (done: number) => void;
}

/** The bytes of its part are what a second dump of the table must give; of the same program, as another one may write them otherwise. Pure. */
export function checksumOf({ plain }: Pick<PartRecord, "plain">, version: string): string {
  return `sha256 of its dump by ${version}:${plain.sha256}`;
}

/** Given lanes and what each dumps, write their tables as parts, and return the fact of each table: one that is split has several parts, and one fact. */
export async function writeTables(
  lanes: readonly { lane: Lane; content: AsyncIterable<Buffer> }[],
  splits: Splits,
  options: WriteOptions,
): Promise<Fact[]> {
  const { sink, call, tell } = options;
  const { version } = call.dumper;
  const facts: Fact[] = [];
  const pieces = new Map<string, PartRecord[]>();
  const keep = (fact: Fact): void => {
    facts.push(fact);
    tell?.(facts.length);
  };
  await Promise.all([
    ...lanes.map(({ lane, content }) =>
      splitDump(
        content,
        lane.tables,
        async (table, text) => {
          const object = `${lane.database}.${table}`;
          const record = await sink.write(describePart(lane, table), text);
          if (lane.only === undefined) keep({ object, checksum: checksumOf(record, version) });
          else pieces.set(object, [...(pieces.get(object) ?? []), record]);
        },
        openingOf(lane),
      ),
    ),
    writeTriggers(lanes, options, (record) => {
      pieces.set(record.object, [...(pieces.get(record.object) ?? []), record]);
    }),
  ]);
  for (const [object, split] of splits) {
    const parts = pieces.get(object);
    if (parts) keep({ object, checksum: checksumOfSplit(version, split, parts) });
  }
  return facts;
}

/** What is loaded again is not there twice. */
function openingOf(lane: Lane): { mark: Buffer; before: string } {
  const [table = ""] = lane.tables;
  const { only } = lane;
  const before =
    typeof only === "object" ? `DELETE FROM ${quoteName(table)} WHERE ${only.condition};\n` : "";
  return { mark: markOf(lane), before };
}

function describePart({ database, only }: Lane, table: string): Parameters<PartSink["write"]>[0] {
  const base = `mysql/${encodePartName(database)}/`;
  const object = `${database}.${table}`;
  const name = encodePartName(table);
  if (typeof only !== "object")
    return { path: `${base}20-${name}.sql`, object, role: "table", seq: 0 };
  const number = String(only.seq).padStart(4, "0");
  return { path: `${base}30-${name}.${number}.sql`, object, role: "rows", seq: only.seq };
}

/** Of a split table they come behind its rows: on a table that is being filled they would fire. */
async function writeTriggers(
  lanes: readonly { lane: Lane }[],
  { server, call, sink }: WriteOptions,
  keep: (record: PartRecord) => void,
): Promise<void> {
  for (const { lane } of lanes) {
    const [table] = lane.tables;
    if (lane.only !== "structure" || table === undefined) continue;
    const [found] = await server.query(
      "SELECT COUNT(*) AS triggers FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ?",
      [lane.database, table],
    );
    if (Number(found?.["triggers"]) === 0) continue;
    const options = ["--no-data", "--no-create-info", "--triggers"];
    const content = passTriggers(runDumper(call, options, [lane.database, table]));
    const path = `mysql/${encodePartName(lane.database)}/40-${encodePartName(table)}.sql`;
    const object = `${lane.database}.${table}`;
    keep(await sink.write({ path, object, role: "triggers", seq: 0 }, content));
  }
}
