import { readItem } from "./attribute-value.ts";
import type { DynamoDb } from "./connect-dynamodb.ts";
import type { Table } from "./describe-table.ts";
import { parseExactJson } from "./exact-json.ts";
import { makePacer } from "./make-pacer.ts";
import type { CapacityMeter } from "./measure-capacity.ts";
import { planPageLimit, planReadUnits } from "./plan-dump.ts";
import { listItems } from "./split-page.ts";
import { planSegments, scanTable } from "./scan-table.ts";

/** About as many pages of 1 MB as are read; that of a small table is all of it. */
const SAMPLE_PAGES = 48;

/** Given a table, measure its items: all of a small one, the beginning of each segment of a large one. Returns whether it was all. */
export async function sampleTable(
  dynamoDb: DynamoDb,
  table: Table,
  meter: CapacityMeter,
  onProgress: (items: number) => void,
): Promise<boolean> {
  const units = planReadUnits(undefined, table);
  const limit = planPageLimit(units, table);
  const segments = planSegments(table);
  const pagesEach = Math.ceil(SAMPLE_PAGES / segments.length);
  const pages = new Map<object, number>();
  let [items, isAll] = [0, true];
  await scanTable(dynamoDb, {
    table: table.name,
    segments,
    pacer: makePacer(units),
    ...(limit !== undefined && { limit }),
    onPage: async (page, segment) => {
      for (const item of listItems(page)) meter.add(readItem(parseExactJson(item)));
      items += page.bounds.length / 2;
      onProgress(items);
      const count = (pages.get(segment) ?? 0) + 1;
      pages.set(segment, count);
      segment.isDone = page.lastKey === undefined || count >= pagesEach;
      if (page.lastKey !== undefined) {
        segment.lastKey = page.lastKey;
        if (segment.isDone) isAll = false;
      }
    },
  });
  return isAll;
}
