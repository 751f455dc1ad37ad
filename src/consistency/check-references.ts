import { setTimeout as wait } from "node:timers/promises";
import type { ReferenceConfig } from "../config/consistency-schema.ts";
import { describeRow, findBound, type Key } from "../services/mysql/hash-rows.ts";
import type { Reader } from "../services/mysql/open-reader.ts";
import { findOrphans, readForeignKeys, type Reference } from "../services/mysql/read-references.ts";
import { readStructure, type TableStructure } from "../services/mysql/read-structure.ts";
import { describeWhy } from "./pair.ts";
import { beginOf, passKey, passWhole, type Progress } from "./bookmark.ts";
import type { ReportDraft } from "./report.ts";
import { skipUnseenRows } from "./skip-unseen.ts";
import type { Steer } from "./steer.ts";

export interface TablesOptions {
  name: string;
  /** Whom to ask for what is many: the replica where there is one that follows. */
  reader: Reader;
  /** Who has the last word. */
  primary: Reader;
  databases: readonly string[];
  /** The database of a table that is named without. */
  database: string | undefined;
  steer: Steer;
}

interface ReferencesOptions extends TablesOptions {
  update: (line: string) => void;
  progress: Progress;
  /** Told after each step. */
  save: () => void;
}

const ROWS = 10_000;
/** A row may be written before the one that it refers to, within one transaction and on a replica. */
const PAUSE_MS = 300;
const LOOKS = 3;

/** Given the servers and what the configuration says of references, return these and the declared ones. */
export async function listReferences(
  configured: readonly ReferenceConfig[],
  options: TablesOptions,
): Promise<Reference[]> {
  const references: Reference[] = [];
  for (const database of options.databases)
    references.push(...(await readForeignKeys(options.reader, database)));
  return [...references, ...configured.map((one) => describeConfigured(one, options))];
}

/** Given the servers and what refers to what, report each row that refers to one that is not there. */
export async function checkReferences(
  references: readonly Reference[],
  draft: ReportDraft,
  options: ReferencesOptions,
): Promise<void> {
  const { reader, databases, steer, name, progress } = options;
  await skipUnseenRows({ name, session: reader, databases }, draft);
  const structures = new Map<string, TableStructure[]>();
  const find = async (database: string, table: string): Promise<TableStructure | undefined> => {
    const known = structures.get(database) ?? (await readStructure(reader, database));
    structures.set(database, known);
    return known.find((one) => one.name === table);
  };
  for (const reference of references) {
    if (progress.done.includes(reference.name)) continue;
    options.update(reference.name);
    try {
      const child = await find(reference.child.database, reference.child.table);
      const parent = await find(reference.parent.database, reference.parent.table);
      if (await checkOne(reference, child, parent, draft, options))
        draft.look(reference.isDeclared ? "foreign keys" : "configured references", 1);
      passWhole(progress, reference.name);
    } catch (error) {
      steer.signal.throwIfAborted();
      draft.leave(reference.name, describeWhy(error));
    }
  }
}

/** Given the name of a table as it is written in the configuration, return its database and its own name. Pure. */
export function splitTable(table: string, database: string | undefined): [string, string] {
  const [first = "", second] = table.split(".");
  return second === undefined ? [database ?? "", first] : [first, second];
}

function describeConfigured(one: ReferenceConfig, { database }: TablesOptions): Reference {
  const [childDatabase, child] = splitTable(one.table, database);
  const [parentDatabase, parent] = splitTable(one.toTable, database);
  return {
    name: `${childDatabase}.${child}.${one.column} → ${parentDatabase}.${parent}.${one.toColumn}`,
    isDeclared: false,
    child: { database: childDatabase, table: child, columns: [one.column] },
    parent: { database: parentDatabase, table: parent, columns: [one.toColumn] },
    nullValues: one.nullValues ?? [],
  };
}

/** Returns whether it could be looked at. */
async function checkOne(
  reference: Reference,
  child: TableStructure | undefined,
  parent: TableStructure | undefined,
  draft: ReportDraft,
  options: ReferencesOptions,
): Promise<boolean> {
  const skip = (why: string): false => {
    draft.skip(reference.name, why);
    return false;
  };
  if (!child) return skip(`there is no table ${reference.child.database}.${reference.child.table}`);
  if (!parent)
    return skip(`there is no table ${reference.parent.database}.${reference.parent.table}`);
  if (child.cutBy.length === 0)
    return skip("its table has no key by which its rows could be named");
  for (const [side, columns] of [
    [child, reference.child.columns],
    [parent, reference.parent.columns],
  ] as const) {
    const unknown = columns.find((column) => !side.columns.some(({ name }) => name === column));
    if (unknown !== undefined) return skip(`there is no column ${unknown} in ${side.name}`);
  }
  tellMismatch(reference, child, parent, draft);
  let lower = beginOf(options.progress, reference.name, child.cutBy);
  for (let isOver = false; !isOver;) {
    await options.steer.giveWay();
    const upper = await findBound(options.reader, child, { lower, upper: undefined }, ROWS);
    isOver = upper === undefined;
    const orphans = await findOrphans(options.reader, reference, child, { lower, upper });
    for (const key of await confirm(reference, child, orphans, options)) {
      const column = reference.child.columns.join(", ");
      draft.find({
        object: reference.name,
        key: describeRow(child.identity, key),
        column,
        kind: "orphan",
        detail: `what it refers to is not in ${reference.parent.database}.${reference.parent.table}`,
      });
    }
    if (upper) passKey(options.progress, reference.name, upper, child.cutBy);
    options.save();
    lower = upper;
    if (draft.isFull()) return skip("too many findings: the rest of it is not looked at");
  }
  return true;
}

/** Another collation finds other rows equal, and another type none of the index. */
function tellMismatch(
  reference: Reference,
  child: TableStructure,
  parent: TableStructure,
  draft: ReportDraft,
): void {
  const isNumber = (type: string): boolean => /int$|^decimal$/.test(type);
  for (const [index, name] of reference.child.columns.entries()) {
    const one = child.columns.find((column) => column.name === name);
    const other = parent.columns.find((column) => column.name === reference.parent.columns[index]);
    if (!one || !other) continue;
    const isAlike =
      one.collation === other.collation &&
      (one.collation !== undefined || isNumber(one.type) === isNumber(other.type));
    if (isAlike) continue;
    const describe = (column: typeof one): string =>
      [column.type, column.collation].filter(Boolean).join(" ");
    const detail = `${describe(one)} refers to ${describe(other)}`;
    draft.find({ object: reference.name, column: name, kind: "mismatch", detail });
  }
}

/** Those that are orphans on the primary too, several times in a row. */
async function confirm(
  reference: Reference,
  child: TableStructure,
  orphans: readonly Key[],
  { primary, steer }: TablesOptions,
): Promise<readonly Key[]> {
  const BATCH = 200;
  const confirmed: Key[] = [];
  for (let at = 0; at < orphans.length; at += BATCH) {
    let keys: readonly Key[] = orphans.slice(at, at + BATCH);
    for (let look = 0; look < LOOKS && keys.length > 0; look++) {
      if (look > 0) await wait(PAUSE_MS, undefined, { signal: steer.signal });
      keys = await findOrphans(primary, reference, child, { keys });
    }
    confirmed.push(...keys);
  }
  return confirmed;
}
