import { describeError } from "../../system/errors.ts";
import { countOf } from "../../system/quantities.ts";
import { asPath, type Cluster, isNotThere, RefusedRequest } from "./cluster.ts";
import { IndexTrouble } from "./indices.ts";
import { layOutPage, newTally, type Tally } from "./lay-out-page.ts";
import type { Envelope } from "./scan-page.ts";
import type { Room } from "./send-request.ts";

/** The reading of a slice was cut off; it may be read anew. */
export class ReadCutOff extends IndexTrouble {
  constructor(index: string, error: unknown) {
    super("failed", `${index}: ${describeError(error)}`, { cause: error });
  }
}

/** An index that is being read. */
export interface IndexReader {
  /** How many slices it has: those of whole shards, so that each may be read at a moment of its own. */
  slices: number;
  /**
   * The documents of a slice, as lines for `_bulk`, all of them: the iteration throws `ReadCutOff` at its end at the latest where one is missing. What was
   * read is in `tallies`. A slice may be read again, and is then in smaller pages, each time.
   */
  read(slice: number): AsyncIterable<Buffer>;
  tallies: Tally[];
  close(): Promise<void>;
}

const PAGE_BYTES = 8 * 1024 * 1024;
/** `index.max_result_window`, unless an index says otherwise. */
const USUAL_WINDOW = 10_000;
const MOST_SLICES = 8;
/** What a page was too large for, be it the cluster or the link, one of so much less may go through. */
const SHRINK = 4;
/** What the cluster keeps for us, should we be killed. */
const KEEP_ALIVE = "2m";
/** Enough to know how large they are. */
const SAMPLE = 20;
const SEARCH = "allow_partial_search_results=false";

/** Given an index and how many primary shards it has, return its reader. It changes nothing. */
export async function openReader(
  cluster: Cluster,
  index: string,
  shards: number,
): Promise<IndexReader> {
  const slices = Math.max(1, Math.min(shards, MOST_SLICES));
  const tallies = Array.from({ length: slices }, newTally);
  const size = await chooseSize(cluster, index);
  const times = Array.from({ length: slices }, () => 0);
  const pages =
    cluster.reading === "scroll" ? scrollPages(cluster, index) : pitPages(cluster, index);
  return {
    slices,
    tallies,
    read: (slice) => {
      const tally = newTally();
      tallies[slice] = tally;
      const time = times[slice] ?? 0;
      times[slice] = time + 1;
      const clause = slices > 1 ? { slice: { id: slice, max: slices } } : {};
      return readAll(index, pages.open({ ...shrink(size, SHRINK ** time), clause }), tally);
    },
    close: pages.close,
  };
}

interface PageSource {
  /** The page behind this one; the first where there is none yet. */
  next(last?: {
    envelope: Envelope;
    lastSort?: string;
    bytes: number;
    documents: number;
  }): Promise<Buffer>;
  /**
   * The page behind one that has come and has not been gone over, where it can be asked for: the cluster makes it meanwhile. `left` is how many
   * documents there are from that page on.
   */
  nextEarly?(page: Buffer, left: number): Promise<Buffer> | undefined;
  /** What is to be given back is known from now on. */
  seen(envelope: Envelope): void;
  close(): Promise<void>;
}

async function* readAll(index: string, source: PageSource, tally: Tally): AsyncIterable<Buffer> {
  let shards: number | undefined;
  let total: number | undefined;
  let coming = source.next();
  try {
    for (;;) {
      let lines: Buffer;
      let isEnd: boolean;
      try {
        const page = await coming;
        const early = total && source.nextEarly?.(page, total - tally.documents);
        if (early) coming = noticed(early);
        const laidOut = layOutPage(page, tally);
        source.seen(laidOut.envelope);
        refusePartial(laidOut.envelope, shards);
        shards ??= laidOut.envelope._shards.total;
        total ??= readTotal(laidOut.envelope);
        isEnd = laidOut.documents === 0 || tally.documents >= total;
        if (isEnd && tally.documents !== total)
          throw new Error(`${countOf(tally.documents, "document")} came of ${total}`);
        ({ lines } = laidOut);
        // Asked for while this one is written.
        if (!isEnd && !early) coming = noticed(source.next({ ...laidOut, bytes: page.length }));
      } catch (error) {
        throw isGone(error) ? error : new ReadCutOff(index, error);
      }
      if (lines.length > 0) yield lines;
      if (isEnd) return;
    }
  } finally {
    await coming.catch(() => undefined);
    await source.close();
  }
}

/** Whether it fails is seen once it is wanted. */
function noticed(page: Promise<Buffer>): Promise<Buffer> {
  page.catch(() => undefined);
  return page;
}

const isGone = (error: unknown): boolean =>
  error instanceof RefusedRequest && error.type === "index_not_found_exception";

/** A page of which a shard has nothing said would leave its documents out. */
function refusePartial({ timed_out, _shards }: Envelope, before: number | undefined): void {
  if (timed_out) throw new Error("a search timed out");
  if (_shards.failed > 0)
    throw new Error(`${_shards.failed} of ${_shards.total} shards have failed a search`);
  if (before !== undefined && _shards.total !== before)
    throw new Error(`a search asked ${countOf(_shards.total, "shard")}, the one before ${before}`);
}

function readTotal({ hits: { total } }: Envelope): number {
  if (typeof total === "object" && total.relation === "eq") return total.value;
  throw new Error("a search does not say how many documents there are");
}

interface PageSize {
  size: number;
  most: number;
}

const shrink = ({ size, most }: PageSize, by: number): PageSize => ({
  size: Math.max(1, Math.floor(size / by)),
  most: Math.max(1, Math.floor(most / by)),
});

/** So many documents that a page has some 8 MB; of large ones few, and never more than the index allows. */
async function chooseSize(cluster: Cluster, index: string): Promise<PageSize> {
  const settings = await cluster.ask<Record<string, { settings: Record<string, string> }>>(
    "GET",
    `${asPath(index)}/_settings/index.max_result_window?flat_settings=true`,
  );
  const most = Number(settings[index]?.settings["index.max_result_window"] ?? USUAL_WINDOW);
  const sample = await cluster.read({
    method: "POST",
    path: `${asPath(index)}/_search?${SEARCH}`,
    body: JSON.stringify({
      size: Math.min(SAMPLE, most),
      sort: ["_doc"],
      ...cluster.wholeSource,
    }),
  });
  try {
    const { documents } = layOutPage(sample, newTally());
    return { most, size: sizeFor(sample.length, documents, most) };
  } catch (error) {
    throw new ReadCutOff(index, error);
  }
}

const sizeFor = (bytes: number, documents: number, most: number): number =>
  Math.max(1, Math.min(most, Math.floor((PAGE_BYTES * Math.max(documents, 1)) / bytes)));

interface Pages {
  open(options: PageSize & { clause: object }): PageSource;
  close(): Promise<void>;
}

/** A context of each slice's own. What fails behind its first page may have moved it on: it is not asked again. */
function scrollPages(cluster: Cluster, index: string): Pages {
  return {
    close: () => Promise.resolve(),
    open: ({ size, clause }) => {
      let id: string | undefined;
      // A page is gone over before anything of the next one can come.
      const room: Room = {};
      const goOn = (): Promise<Buffer> => {
        const body = JSON.stringify({ scroll: KEEP_ALIVE, scroll_id: id });
        const sent = { method: "POST", path: "/_search/scroll", body } as const;
        return cluster.read(sent, { patienceMs: 0, room });
      };
      return {
        nextEarly: (page, left) => {
          // A page has no more than `size`: there is another one.
          if (left <= size) return undefined;
          const said = readScrollId(page);
          if (said === undefined) return undefined;
          id = said;
          return goOn();
        },
        seen: ({ _scroll_id }) => {
          id = _scroll_id ?? id;
        },
        next: (last) => {
          if (!last) {
            const path = `${asPath(index)}/_search?scroll=${KEEP_ALIVE}&${SEARCH}`;
            const body = JSON.stringify({
              size,
              sort: ["_doc"],
              track_total_hits: true,
              ...cluster.wholeSource,
              ...clause,
            });
            return cluster.read({ method: "POST", path, body }, { room });
          }
          return goOn();
        },
        close: async () => {
          if (id !== undefined)
            await cluster.release("DELETE", "/_search/scroll", { scroll_id: id });
        },
      };
    },
  };
}

const BEFORE_SCROLL_ID = Buffer.from('{"_scroll_id":"');
const QUOTE = 0x22;

/** It stands first, where it does: base64, in which nothing is escaped. */
function readScrollId(page: Buffer): string | undefined {
  const from = BEFORE_SCROLL_ID.length;
  if (!page.subarray(0, from).equals(BEFORE_SCROLL_ID)) return undefined;
  return page.toString("latin1", from, page.indexOf(QUOTE, from));
}

/** One point in time for all slices (elastic/elasticsearch#75162), opened when the first is read and anew once the cluster has lost it. */
function pitPages(cluster: Cluster, index: string): Pages {
  const isOpenSearch = cluster.reading === "opensearch-pit";
  const path = isOpenSearch ? "/_search/point_in_time" : "/_pit";
  let pit: Promise<string> | undefined;
  const opened = new Set<string>();
  const openPit = async (): Promise<string> => {
    const answer = await cluster.ask<{ id?: string; pit_id?: string }>(
      "POST",
      `${asPath(index)}${path}?keep_alive=${KEEP_ALIVE}`,
    );
    const id = answer.pit_id ?? answer.id ?? "";
    opened.add(id);
    return id;
  };
  return {
    close: async () => {
      await pit?.catch(() => undefined);
      for (const id of opened)
        await cluster.release("DELETE", path, isOpenSearch ? { pit_id: [id] } : { id });
    },
    open: ({ size: first, most, clause }) => {
      let size = first;
      const room: Room = {};
      return {
        seen: ({ pit_id }) => {
          if (pit_id !== undefined) opened.add(pit_id);
        },
        next: async (last) => {
          if (last) size = sizeFor(last.bytes, last.documents, most);
          pit ??= openPit();
          const mine = pit;
          // The newest that it has said.
          const id = last?.envelope.pit_id ?? (await mine);
          const rest = JSON.stringify({
            size,
            sort: ["_shard_doc"],
            track_total_hits: last === undefined,
            pit: { id, keep_alive: KEEP_ALIVE },
            ...cluster.wholeSource,
            ...clause,
          });
          const behind = last?.lastSort === undefined ? "" : `,"search_after":${last.lastSort}`;
          const body = `${rest.slice(0, -1)}${behind}}`;
          const sent = { method: "POST", path: `/_search?${SEARCH}`, body } as const;
          return cluster.read(sent, { room }).catch((error: unknown) => {
            if (isNotThere(error) && pit === mine) pit = undefined;
            throw error;
          });
        },
        close: () => Promise.resolve(),
      };
    },
  };
}
