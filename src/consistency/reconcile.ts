import { createHash } from "node:crypto";

/** Something of one side that has its like on the other. */
export interface Entry {
  id: string;
  /** Undefined: nothing is known of it, and it is equal to any. */
  version: string | undefined;
  /** It may still be on its way: it is no finding that its like is missing. */
  isYoung: boolean;
  /** Where it stands, for people: the key of a row. */
  where?: string;
}

/** Reads a side from its beginning to its end, as often as it is called. */
export type Side = (take: (entry: Entry) => void) => Promise<void>;

/** Entries that are kept; of more only the number is known. */
interface Doubtful {
  entries: Entry[];
  count: number;
}

export interface Reconciled {
  left: number;
  right: number;
  onlyLeft: Doubtful;
  onlyRight: Doubtful;
  /** Those of the left. */
  different: Doubtful;
  /** Those of the left that say a version, and whose like says none: whether they agree nobody knows. */
  unsaid: number;
  /** Those of either side that lack their like or differ, and may still be on their way. */
  young: number;
}

const BUCKETS = 4096;
/** Entries that are kept at once, of both sides. */
const KEPT = 200_000;
/** Of what is doubtful, and of each kind. */
const DOUBTFUL = 20_000;

/** Of one bucket: how many there are, and the sum of their hashes, in which nothing cancels as it does in an XOR. */
interface Sums {
  counts: Float64Array;
  low: Uint32Array;
  high: Uint32Array;
}

/**
 * Given two sides, return what one has and the other has not, and what differs. Neither need be sorted, nor be kept: each is read once into sums by the hash of the
 * id, and what falls into sums that differ is read again and compared one by one.
 */
export async function reconcile(left: Side, right: Side): Promise<Reconciled> {
  const [one, other] = [await sumUp(left), await sumUp(right)];
  const count = (sums: Sums): number => sums.counts.reduce((sum, each) => sum + each, 0);
  const result: Reconciled = {
    left: count(one),
    right: count(other),
    onlyLeft: { entries: [], count: 0 },
    onlyRight: { entries: [], count: 0 },
    different: { entries: [], count: 0 },
    unsaid: 0,
    young: 0,
  };
  const differing = Array.from({ length: BUCKETS }, (_, index) => index).filter(
    (index) =>
      one.counts[index] !== other.counts[index] ||
      one.low[index] !== other.low[index] ||
      one.high[index] !== other.high[index],
  );
  for (const group of groupBuckets(differing, one, other))
    await compareGroup(group, left, right, result);
  return result;
}

async function sumUp(side: Side): Promise<Sums> {
  const sums: Sums = {
    counts: new Float64Array(BUCKETS),
    low: new Uint32Array(BUCKETS),
    high: new Uint32Array(BUCKETS),
  };
  await side((entry) => {
    const bucket = bucketOf(entry.id);
    const hash = createHash("sha256")
      .update(`${entry.id}\0${entry.version ?? ""}`)
      .digest();
    sums.counts[bucket] = (sums.counts[bucket] ?? 0) + 1;
    // Typed arrays wrap around.
    sums.low[bucket] = (sums.low[bucket] ?? 0) + hash.readUInt32LE(0);
    sums.high[bucket] = (sums.high[bucket] ?? 0) + hash.readUInt32LE(4);
  });
  return sums;
}

function bucketOf(id: string): number {
  return createHash("sha256").update(id).digest().readUInt16LE(0) % BUCKETS;
}

/** As many buckets at once as may be kept. */
function groupBuckets(buckets: readonly number[], one: Sums, other: Sums): Set<number>[] {
  const groups: Set<number>[] = [];
  let room = 0;
  for (const bucket of buckets) {
    const size = (one.counts[bucket] ?? 0) + (other.counts[bucket] ?? 0);
    if (groups.length === 0 || room < size) {
      groups.push(new Set());
      room = KEPT;
    }
    groups.at(-1)?.add(bucket);
    room -= size;
  }
  return groups;
}

async function compareGroup(
  group: ReadonlySet<number>,
  left: Side,
  right: Side,
  result: Reconciled,
): Promise<void> {
  const read = async (side: Side): Promise<Map<string, Entry>> => {
    const entries = new Map<string, Entry>();
    await side((entry) => {
      if (group.has(bucketOf(entry.id))) entries.set(entry.id, entry);
    });
    return entries;
  };
  const [here, there] = [await read(left), await read(right)];
  // What may still be on its way is not doubted.
  const doubt = (entry: Entry, doubtful: Doubtful, isYoung = entry.isYoung): void => {
    if (isYoung) result.young++;
    else keep(entry, doubtful);
  };
  for (const [id, entry] of here) {
    const like = there.get(id);
    if (!like) doubt(entry, result.onlyLeft);
    else if (isOther(entry, like)) doubt(entry, result.different, entry.isYoung || like.isYoung);
    else if (isUnsaid(entry, like)) result.unsaid++;
  }
  for (const [id, entry] of there) if (!here.has(id)) doubt(entry, result.onlyRight);
}

function keep(entry: Entry, doubtful: Doubtful): void {
  doubtful.count++;
  if (doubtful.entries.length < DOUBTFUL) doubtful.entries.push(entry);
}

/** What may still be on its way may still come to say it. */
const isUnsaid = (one: Entry, other: Entry): boolean =>
  one.version !== undefined && other.version === undefined && !one.isYoung && !other.isYoung;

/** Whether both say something, and not the same. Pure. */
export const isOther = (one: Entry, other: Entry): boolean =>
  one.version !== undefined && other.version !== undefined && one.version !== other.version;
