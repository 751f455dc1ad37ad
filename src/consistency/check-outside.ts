import { setTimeout as wait } from "node:timers/promises";
import { describeRow } from "../services/mysql/hash-rows.ts";
import { readStructure, type TableStructure } from "../services/mysql/read-structure.ts";
import {
  type ColumnsRow,
  findWithValues,
  streamColumns,
} from "../services/mysql/stream-columns.ts";
import { countOf, pluralOf } from "../system/quantities.ts";
import { splitTable, type TablesOptions } from "./check-references.ts";
import { type Entry, isOther, reconcile, type Side } from "./reconcile.ts";
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
  /** Of a row to which nothing belongs here: why it is not looked at at all; undefined where that is as it should be. */
  whyNot?(values: readonly string[]): string | undefined;
  /** The values again. */
  valuesOf(id: string): string[];
  versionOf(text: string): string;
}

const GRACE_MINUTES = 60;
/** An index shows what was written after a second. */
const PAUSE_MS = 1_200;
const BATCH = 100;
/** More than this share of a side, and more than so many: it is rather the configuration that is wrong, and only some are looked at again and listed. */
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
  const passedOver = new Map<string, number>();
  const side = readRows(rows, table, passedOver, options);
  const found = await reconcile(side, outside.read);
  for (const [why, count] of passedOver) draft.skip(object, `${countOf(count, "row")}: ${why}`);
  const { noun } = outside;
  draft.look("rows", found.left);
  draft.look(`${noun}s`, found.right);
  if (found.unsaid > 0)
    draft.skip(
      outside.name,
      `${countOf(found.unsaid, `${noun} has`, `${noun}s have`)} nothing to be compared with ${rows.versionColumn}`,
    );
  if (found.left > 0 && found.right === 0)
    return draft.skip(
      outside.name,
      `there is no ${noun} at all, and ${countOf(found.left, "row says", "rows say")} there is: is it the right place?`,
    );
  if (found.left === 0 && found.right > 0)
    return draft.skip(
      object,
      `none of its rows names one, and there ${pluralOf(found.right, "is", "are")} ${countOf(found.right, noun)}`,
    );
  if (found.left === 0 && found.right === 0)
    return draft.skip(object, `it has no row that names one, and ${outside.name} has none`);
  if (found.young > 0) draft.look("young", found.young);
  if (isMuch(found.young, found.left + found.right))
    draft.skip(
      object,
      `${found.young} rows and ${noun}s lack their like or differ, and are too young to be judged: see graceMinutes`,
    );
  const lists = [
    [found.onlyLeft, found.left, object, `rows without ${noun}`],
    [found.onlyRight, found.right, outside.name, `${noun}s without row`],
    [found.different, found.left, object, `rows whose ${noun} says otherwise`],
  ] as const;
  await wait(PAUSE_MS, undefined, { signal: options.steer.signal });
  for (const [doubtful, all, of, what] of lists) {
    const isMany = isMuch(doubtful.count, all) || doubtful.count > doubtful.entries.length;
    const suspects = isMany ? doubtful.entries.slice(0, SUSPICIOUS.listed) : doubtful.entries;
    const confirmed = await confirm(suspects, rows, table, outside, options);
    if (isMany && confirmed.length > 0)
      draft.find({
        object: of,
        kind: "suspicious",
        detail: `${doubtful.count} ${what}, of ${all}: look at the configuration first, ${confirmed.length} of them are listed`,
      });
    if (isMany && confirmed.length === 0)
      draft.skip(of, `${doubtful.count} ${what}, of ${all}, come and go; run it again later`);
    for (const one of confirmed) draft.find(describe(one, rows, outside, object));
  }
}

const isMuch = (count: number, all: number): boolean =>
  count > Math.max(SUSPICIOUS.least, SUSPICIOUS.share * all);

/** What is so when both sides are asked again. */
interface Confirmed {
  left: Entry | undefined;
  right: Entry | undefined;
}

function describe(
  { left, right }: Confirmed,
  rows: Rows,
  { name, noun }: Outside,
  object: string,
): Parameters<ReportDraft["find"]>[0] {
  const column = rows.columns.join(", ");
  if (!left)
    return {
      object: name,
      key: right?.id ?? "",
      kind: `extra-${noun}`,
      detail: `no row of ${object} has it in ${column}`,
    };
  const key = left.where ?? "";
  return right
    ? {
        object,
        key,
        column: rows.versionColumn ?? "",
        kind: `other-${noun}`,
        detail: `the ${noun} ${left.id} in ${name} says otherwise`,
      }
    : {
        object,
        key,
        column,
        kind: `missing-${noun}`,
        detail: `there is no ${noun} ${left.id} in ${name}`,
      };
}

/** What is passed over is counted by its reason, anew each time that the side is read. */
function readRows(
  rows: Rows,
  table: TableStructure,
  passedOver: Map<string, number>,
  { reader, steer }: TablesOptions,
): Side {
  return (take) => {
    passedOver.clear();
    return streamColumns(
      reader,
      table,
      columnsOf(rows),
      (row) => {
        const entry = toEntry(row, rows, table);
        if (entry) return take(entry);
        const known = knownOf(row, rows);
        const why = known && rows.whyNot?.(known);
        if (why !== undefined) passedOver.set(why, (passedOver.get(why) ?? 0) + 1);
      },
      steer.giveWay,
    );
  };
}

/** The values that make the id; undefined where one of them is NULL. */
function knownOf({ values }: ColumnsRow, rows: Rows): string[] | undefined {
  const parts = values.slice(0, rows.columns.length);
  const known = parts.filter((value) => value !== undefined);
  return known.length === parts.length ? known : undefined;
}

const columnsOf = (rows: Rows) => ({
  columns: [...rows.columns, ...(rows.versionColumn === undefined ? [] : [rows.versionColumn])],
  changedColumn: rows.changedColumn,
  graceMinutes: rows.graceMinutes ?? GRACE_MINUTES,
});

function toEntry(row: ColumnsRow, rows: Rows, table: TableStructure): Entry | undefined {
  const { key, values, isYoung } = row;
  const known = knownOf(row, rows);
  const id = known && rows.idOf(known);
  if (id === undefined) return undefined;
  const version = values[rows.columns.length];
  return {
    id,
    isYoung,
    version: version === undefined ? undefined : rows.versionOf(version),
    where: describeRow(table.identity, key),
  };
}

/** Those of the suspects that are still so, with the primary in the place of its replica. */
async function confirm(
  suspects: readonly Entry[],
  rows: Rows,
  table: TableStructure,
  outside: Outside,
  { primary, steer }: TablesOptions,
): Promise<Confirmed[]> {
  const confirmed: Confirmed[] = [];
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
      if (left?.isYoung || right?.isYoung || (!left && !right)) continue;
      if (!left || !right || isOther(left, right)) confirmed.push({ left, right });
    }
  }
  return confirmed;
}
