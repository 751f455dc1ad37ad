import { setTimeout as wait } from "node:timers/promises";
import { describeRow } from "../services/mysql/hash-rows.ts";
import { readStructure, type TableStructure } from "../services/mysql/read-structure.ts";
import {
  type ColumnsRow,
  findWithValues,
  streamColumns,
} from "../services/mysql/stream-columns.ts";
import { splitTable, type TablesOptions } from "./check-references.ts";
import { type Entry, reconcile, type Side } from "./reconcile.ts";
import type { ReportDraft } from "./report.ts";

/** Something elsewhere of which a row and an entry belong together: a bucket, an index, a DynamoDB table. */
export interface Outside {
  /** For people: `s3://bucket/prefix`. */
  name: string;
  /** What its entries are called: `object`. */
  noun: string;
  read: Side;
  /** Given ids, return those entries that are there now, as whoever writes them would see them. */
  look(ids: readonly string[]): Promise<Map<string, Entry>>;
  close(): void;
}

/** The rows to which the entries belong. */
export interface Rows {
  table: string;
  /** Their values make the id. */
  columns: readonly string[];
  versionColumn: string | undefined;
  changedColumn: string | undefined;
  graceMinutes: number | undefined;
  /** Given the values of the columns, return the id as the other side has it; undefined: nothing belongs to the row. */
  idOf(values: readonly string[]): string | undefined;
  /** The values again. */
  valuesOf(id: string): string[];
  versionOf(text: string): string;
}

const GRACE_MINUTES = 60;
/** An index shows what was written after a second. */
const PAUSE_MS = 1_200;
const BATCH = 100;
/** More than this share of a side, and more than so many: it is rather the configuration that is wrong, and no list is made. */
const SUSPICIOUS = { share: 0.05, least: 50, listed: 20 };

/** Given rows and what belongs to them elsewhere, report what is on one side alone, or differs. */
export async function checkOutside(
  rows: Rows,
  outside: Outside,
  draft: ReportDraft,
  options: TablesOptions,
): Promise<void> {
  const [database, name] = splitTable(rows.table, options.database);
  const object = `${database}.${name}`;
  const table = (await readStructure(options.reader, database)).find((one) => one.name === name);
  if (!table) return draft.skip(object, "there is no such table");
  if (table.cutBy.length === 0)
    return draft.skip(object, "it has no key by which its rows could be named");
  const asked = [...rows.columns, rows.versionColumn, rows.changedColumn];
  const unknown = asked.find(
    (column) => column !== undefined && !table.columns.some((one) => one.name === column),
  );
  if (unknown !== undefined) return draft.skip(object, `there is no column ${unknown} in it`);
  const side = readRows(rows, table, options);
  const found = await reconcile(side, outside.read);
  draft.look("rows", found.left);
  draft.look(`${outside.noun}s`, found.right);
  if (found.left > 0 && found.right === 0)
    return draft.skip(
      outside.name,
      `there is no ${outside.noun} at all, and ${found.left} rows say there is: is it the right place?`,
    );
  if (found.left === 0 && found.right > 0)
    return draft.skip(
      object,
      `none of its rows names one, and there are ${found.right} ${outside.noun}s`,
    );
  const confirmed = await confirm(found, rows, table, outside, options);
  const column = rows.columns.join(", ");
  const { noun } = outside;
  for (const { where = "", id } of limit(
    confirmed.onlyLeft,
    found.left,
    object,
    `rows without ${noun}`,
    draft,
  ))
    draft.find({
      object,
      key: where,
      column,
      kind: `missing-${noun}`,
      detail: `there is no ${noun} ${id} in ${outside.name}`,
    });
  for (const { id } of limit(
    confirmed.onlyRight,
    found.right,
    outside.name,
    `${noun}s without row`,
    draft,
  ))
    draft.find({
      object: outside.name,
      key: id,
      kind: `extra-${noun}`,
      detail: `no row of ${object} has it in ${column}`,
    });
  for (const { left } of confirmed.different)
    draft.find({
      object,
      key: left.where ?? "",
      column: rows.versionColumn ?? "",
      kind: `other-${noun}`,
      detail: `the ${noun} ${left.id} in ${outside.name} says otherwise`,
    });
}

/** A long list helps nobody who has the wrong prefix. */
function limit(
  entries: readonly Entry[],
  all: number,
  object: string,
  what: string,
  draft: ReportDraft,
): readonly Entry[] {
  const { share, least, listed } = SUSPICIOUS;
  if (entries.length <= Math.max(least, share * all)) return entries;
  draft.find({
    object,
    kind: "suspicious",
    detail: `${entries.length} ${what}, of ${all}: look at the configuration first, ${listed} of them are listed`,
  });
  return entries.slice(0, listed);
}

function readRows(rows: Rows, table: TableStructure, { reader, steer }: TablesOptions): Side {
  return (take) =>
    streamColumns(
      reader,
      table,
      columnsOf(rows),
      (row) => {
        const entry = toEntry(row, rows, table);
        if (entry) take(entry);
      },
      steer.giveWay,
    );
}

const columnsOf = (rows: Rows) => ({
  columns: [...rows.columns, ...(rows.versionColumn === undefined ? [] : [rows.versionColumn])],
  changedColumn: rows.changedColumn,
  graceMinutes: rows.graceMinutes ?? GRACE_MINUTES,
});

function toEntry(
  { key, values, isYoung }: ColumnsRow,
  rows: Rows,
  table: TableStructure,
): Entry | undefined {
  const parts = values.slice(0, rows.columns.length);
  const known = parts.filter((value) => value !== undefined);
  const id = known.length === parts.length ? rows.idOf(known) : undefined;
  if (id === undefined) return undefined;
  const version = values[rows.columns.length];
  return {
    id,
    isYoung,
    version: version === undefined ? undefined : rows.versionOf(version),
    where: describeRow(table.identity, key),
  };
}

/** What is still so when both sides are asked again, the primary in the place of its replica. */
async function confirm(
  found: Awaited<ReturnType<typeof reconcile>>,
  rows: Rows,
  table: TableStructure,
  outside: Outside,
  { primary, steer }: TablesOptions,
): Promise<Pick<typeof found, "onlyLeft" | "onlyRight" | "different">> {
  const suspects = [
    ...found.onlyLeft.filter(({ isYoung }) => !isYoung),
    ...found.onlyRight.filter(({ isYoung }) => !isYoung),
    ...found.different.flatMap(({ left, right }) => (left.isYoung || right.isYoung ? [] : [left])),
  ];
  const confirmed: Awaited<ReturnType<typeof confirm>> = {
    onlyLeft: [],
    onlyRight: [],
    different: [],
  };
  if (suspects.length === 0) return confirmed;
  await wait(PAUSE_MS, undefined, { signal: steer.signal });
  for (let at = 0; at < suspects.length; at += BATCH) {
    await steer.giveWay();
    const ids = suspects.slice(at, at + BATCH).map(({ id }) => id);
    const there = await outside.look(ids);
    const here = new Map<string, Entry>();
    const values = ids.map(rows.valuesOf);
    for (const row of await findWithValues(primary, table, columnsOf(rows), values)) {
      const entry = toEntry(row, rows, table);
      if (entry) here.set(entry.id, entry);
    }
    for (const id of ids) {
      const [left, right] = [here.get(id), there.get(id)];
      if (left?.isYoung || right?.isYoung) continue;
      if (left && !right) confirmed.onlyLeft.push(left);
      else if (right && !left) confirmed.onlyRight.push(right);
      else if (
        left &&
        right &&
        left.version !== undefined &&
        right.version !== undefined &&
        left.version !== right.version
      )
        confirmed.different.push({ left, right });
    }
  }
  return confirmed;
}
