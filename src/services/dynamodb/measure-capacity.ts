import type { Item } from "./attribute-value.ts";
import type { Table, TableIndex } from "./describe-table.ts";
import { measureItem, measureValue } from "./item-size.ts";

/** DynamoDB Developer Guide, "Read and write capacity": what one unit reads, strongly consistent, and what one writes. */
const [READ_BYTES, WRITE_BYTES] = [4096, 1024];
/** Upper ends of the histogram; the last takes all that is larger. */
const BINS = [256, 512, 1024, 2048, 4096, 8192, 16_384, 65_536, 409_600];

export interface CapacityReport {
  items: number;
  bytes: { mean: number; p50: number; p95: number; p99: number; max: number };
  /** Of one item, on average: read eventually consistent, and strongly, and written. */
  units: { eventualRead: number; strongRead: number; write: number };
  /** Each index: which share of the items is in it, and what a write of one of these costs there while its key stays. */
  indexes: readonly { name: string; share: number; writeUnits: number }[];
  histogram: readonly { upToBytes: number; items: number }[];
  /** Those with the most bytes, names and values together. */
  attributes: readonly { name: string; bytes: number }[];
}

export interface CapacityMeter {
  add: (item: Item) => void;
  report: () => CapacityReport;
}

const unitsOf = (bytes: number, unitBytes: number): number =>
  Math.max(1, Math.ceil(bytes / unitBytes));

/** Given a table's key and indexes, return what measures its items one by one. */
export function makeCapacityMeter(table: Pick<Table, "key" | "indexes">): CapacityMeter {
  /** How many items have each size: there are 400 K of these at most, however many items. */
  const sizes = new Map<number, number>();
  const byName = new Map<string, number>();
  const indexes = table.indexes.map((index) => ({ index, items: 0, units: 0 }));
  let [count, total, strongRead, write] = [0, 0, 0, 0];
  return {
    add: (item) => {
      const bytes = measureItem(item);
      sizes.set(bytes, (sizes.get(bytes) ?? 0) + 1);
      count++;
      total += bytes;
      strongRead += unitsOf(bytes, READ_BYTES);
      write += unitsOf(bytes, WRITE_BYTES);
      for (const [name, value] of item)
        byName.set(name, (byName.get(name) ?? 0) + Buffer.byteLength(name) + measureValue(value));
      for (const each of indexes) {
        const entry = projectItem(item, each.index, table);
        if (!entry) continue;
        each.items++;
        each.units += unitsOf(measureItem(entry), WRITE_BYTES);
      }
    },
    report: () => {
      const sorted = [...sizes].toSorted(([left], [right]) => left - right);
      const each = Math.max(1, count);
      return {
        items: count,
        bytes: {
          mean: total / each,
          p50: sizeAt(sorted, count * 0.5),
          p95: sizeAt(sorted, count * 0.95),
          p99: sizeAt(sorted, count * 0.99),
          max: sizeAt(sorted, count),
        },
        units: {
          eventualRead: strongRead / each / 2,
          strongRead: strongRead / each,
          write: write / each,
        },
        indexes: indexes.map(({ index, items, units }) => ({
          name: index.name,
          share: items / each,
          writeUnits: items === 0 ? 0 : units / items,
        })),
        histogram: BINS.map((upToBytes, bin) => ({ upToBytes, items: countBin(sorted, bin) })),
        attributes: [...byName]
          .map(([name, bytes]) => ({ name, bytes }))
          .toSorted((left, right) => right.bytes - left.bytes)
          .slice(0, 5),
      };
    },
  };
}

/** Sizes and how many items have each, the smallest first. */
type Sizes = readonly (readonly [bytes: number, items: number])[];

/** The size of the item at that place, counted from one, were they in a row. */
function sizeAt(sizes: Sizes, place: number): number {
  let passed = 0;
  return sizes.find(([, items]) => (passed += items) >= place)?.[0] ?? 0;
}

function countBin(sizes: Sizes, bin: number): number {
  const [above, upTo] = [
    bin === 0 ? -1 : (BINS[bin - 1] ?? 0),
    bin === BINS.length - 1 ? Number.POSITIVE_INFINITY : (BINS[bin] ?? 0),
  ];
  return sizes.reduce(
    (sum, [bytes, items]) => sum + (bytes > above && bytes <= upTo ? items : 0),
    0,
  );
}

/** What an index holds of an item; undefined where it holds nothing, since a part of its key is missing. */
function projectItem(item: Item, index: TableIndex, table: Pick<Table, "key">): Item | undefined {
  if (!index.key.every(({ name, type }) => item.get(name)?.type === type)) return undefined;
  if (index.projected === "all") return item;
  const names = new Set([
    ...[...index.key, ...table.key].map(({ name }) => name),
    ...index.projected,
  ]);
  return new Map([...item].filter(([name]) => names.has(name)));
}

/** What a table must be given for so many reads and writes a second. */
export interface CapacityForecast {
  /** Single items, eventually consistent; twice as much where they are strongly consistent. */
  readUnits: number;
  strongReadUnits: number;
  /** Of the table itself. */
  writeUnits: number;
  /** Of each global index, as long as its key stays; twice as much where each write changes it. */
  indexes: readonly { name: string; writeUnits: number }[];
}

/** Given what was measured and how many items are read and written a second, return what that costs. Pure. */
export function forecastCapacity(
  report: CapacityReport,
  rates: { reads: number; writes: number },
): CapacityForecast {
  return {
    readUnits: wholeUnits(rates.reads * report.units.eventualRead),
    strongReadUnits: wholeUnits(rates.reads * report.units.strongRead),
    writeUnits: wholeUnits(rates.writes * report.units.write),
    indexes: report.indexes.map(({ name, share, writeUnits }) => ({
      name,
      writeUnits: wholeUnits(rates.writes * share * writeUnits),
    })),
  };
}

/** What is over a whole unit by no more than a double's last digits is none. */
function wholeUnits(units: number): number {
  return Math.max(0, Math.ceil(units - 1e-9));
}
