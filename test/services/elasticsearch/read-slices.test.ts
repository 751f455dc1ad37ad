/** The three ways of reading, against an index in memory that speaks as each server does. */
import { describe, expect, test } from "vitest";
import type { Cluster } from "../../../src/services/elasticsearch/cluster.ts";
import { RefusedRequest } from "../../../src/services/elasticsearch/cluster.ts";
import { readDialect } from "../../../src/services/elasticsearch/dialect.ts";
import { joinTallies } from "../../../src/services/elasticsearch/lay-out-page.ts";
import { openReader } from "../../../src/services/elasticsearch/read-slices.ts";

interface Body {
  size: number;
  pit?: { id: string };
  slice?: { id: number; max: number };
  search_after?: [number];
  scroll_id?: string;
  _source?: { exclude_vectors: boolean };
}

/** A cluster of one index with so many documents in so many shards; `fail` may break an answer. */
function makeCluster(
  reading: Cluster["reading"],
  { documents, shards, bytes = 50 }: { documents: number; shards: number; bytes?: number },
) {
  const seen: { method: string; path: string; body: Body }[] = [];
  const held = new Set<string>();
  const scrolls = new Map<string, { at: number; request: Body }>();
  const change = {
    fail: (_path: string, _body: Body, _call: number): number | undefined => undefined,
  };
  let [calls, contexts] = [0, 0];
  const of = ({ slice }: Body): number[] =>
    Array.from({ length: documents }, (_, id) => id).filter(
      (id) => !slice || (id % shards) % slice.max === slice.id,
    );
  const page = (ids: number[], from: number, size: number, more: object): Buffer => {
    const hits = ids
      .slice(from, from + size)
      .map(
        (id) => `{"_id":"${id}","_source":{"n":${id},"t":"${"x".repeat(bytes)}"},"sort":[${id}]}`,
      );
    const rest = JSON.stringify({
      timed_out: false,
      _shards: { total: shards, failed: 0 },
      ...more,
    });
    const total = `{"value":${ids.length},"relation":"eq"}`;
    return Buffer.from(
      `${rest.slice(0, -1)},"hits":{"total":${total},"hits":[${hits.join(",")}]}}`,
    );
  };
  const read = (method: string, path: string, text: string): Buffer => {
    const body = (text === "" ? {} : JSON.parse(text)) as Body;
    seen.push({ method, path, body });
    const status = change.fail(path, body, ++calls);
    if (status !== undefined)
      throw new RefusedRequest("logs", { method: "POST", path }, status, Buffer.from("{}"));
    if (path.includes("/_settings/")) return Buffer.from("{}");
    if (path.includes("_search?"))
      expect(body._source, "no field is left out").toEqual({ exclude_vectors: false });
    const hold = (): string => {
      const id = `context-${++contexts}`;
      held.add(id);
      return id;
    };
    if (/keep_alive/.test(path)) {
      const wanted =
        reading === "elasticsearch-pit" ? "/logs/_pit?" : "/logs/_search/point_in_time?";
      expect(path).toContain(wanted);
      return Buffer.from(
        JSON.stringify(reading === "elasticsearch-pit" ? { id: hold() } : { pit_id: hold() }),
      );
    }
    if (path.includes("scroll=")) {
      const id = hold();
      scrolls.set(id, { at: body.size, request: body });
      return page(of(body), 0, body.size, { _scroll_id: id });
    }
    if (path === "/_search/scroll") {
      const scroll = scrolls.get(body.scroll_id ?? "");
      if (!scroll) throw new Error("no such scroll");
      const from = scroll.at;
      scroll.at += scroll.request.size;
      return page(of(scroll.request), from, scroll.request.size, { _scroll_id: body.scroll_id });
    }
    if (!body.pit) return page(of(body), 0, body.size, {});
    expect(held.has(body.pit.id), "its point in time is open").toBe(true);
    const ids = of(body);
    const from = body.search_after ? ids.indexOf(body.search_after[0]) + 1 : 0;
    return page(ids, from, body.size, { pit_id: body.pit.id });
  };
  const cluster: Cluster = {
    name: "logs",
    uuid: "u",
    product: "elasticsearch",
    version: "8.11.0",
    reading,
    wholeSource: readDialect({ version: { number: "9.2.0" } })?.wholeSource ?? {},
    ask: async (method, path, body) =>
      JSON.parse(read(method, path, body ? JSON.stringify(body) : "").toString()),
    send: async ({ method, path, body }) =>
      JSON.parse(read(method, path, String(body ?? "")).toString()),
    read: async ({ method, path, body }) => read(method, path, String(body ?? "")),
    release: async (method, path, body) => {
      expect(method).toBe("DELETE");
      const { id, pit_id, scroll_id } = (body ?? {}) as Record<string, string | string[]>;
      const expected = {
        "elasticsearch-pit": ["/_pit", id],
        "opensearch-pit": ["/_search/point_in_time", (pit_id as string[] | undefined)?.[0]],
        scroll: ["/_search/scroll", scroll_id],
      }[reading];
      expect(path).toBe(expected[0]);
      return held.delete(String(expected[1]));
    },
  };
  return { cluster, seen, held, change };
}

async function readAll(content: AsyncIterable<Buffer>): Promise<string[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks)
    .toString()
    .split("\n")
    .filter((line) => line.startsWith('{"n"'))
    .map((line) => String((JSON.parse(line) as { n: number }).n));
}

const WAYS = ["elasticsearch-pit", "opensearch-pit", "scroll"] as const;

describe.each(WAYS)("by %s", (way) => {
  test.each([
    [0, 1],
    [1, 3],
    [25_000, 1],
    [30_001, 3],
    [500, 20],
  ])(
    "%i documents of %i shards come once each, and nothing stays open",
    async (documents, shards) => {
      const { cluster, held } = makeCluster(way, { documents, shards });
      const reader = await openReader(cluster, "logs", shards);
      expect(reader.slices).toBe(Math.min(shards, 8));
      const found: string[] = [];
      for (let slice = 0; slice < reader.slices; slice++)
        found.push(...(await readAll(reader.read(slice))));
      await reader.close();
      expect(new Set(found).size).toBe(documents);
      expect(found).toHaveLength(documents);
      expect(joinTallies(reader.tallies).documents).toBe(documents);
      expect(held).toEqual(new Set());
    },
  );

  test("pages of large documents have few of them", async () => {
    const { cluster, seen } = makeCluster(way, { documents: 90, shards: 1, bytes: 1_000_000 });
    const reader = await openReader(cluster, "logs", 1);
    expect(await readAll(reader.read(0))).toHaveLength(90);
    await reader.close();
    const sizes = seen.filter(({ path }) => /_search\?(?!allow)|_search\?allow/.test(path));
    for (const { body } of sizes.slice(1)) expect(body.size ?? 8).toBeLessThan(10);
  });

  test("what the cluster has no room for is read again in smaller pages", async () => {
    const { cluster, change } = makeCluster(way, { documents: 12_000, shards: 1 });
    const reader = await openReader(cluster, "logs", 1);
    const isTooLarge = ({ size, pit }: Body, path: string): boolean =>
      size > 3_000 && (pit !== undefined || path.includes("scroll"));
    change.fail = (path, body) => (isTooLarge(body, path) ? 429 : undefined);
    await expect(readAll(reader.read(0))).rejects.toThrow(/logs: .*429/);
    expect(await readAll(reader.read(0))).toHaveLength(12_000);
    await reader.close();
  });

  test("a slice whose context is lost half-way is cut off, and is read anew from its beginning", async () => {
    const { cluster, held, change } = makeCluster(way, { documents: 40_000, shards: 2 });
    const reader = await openReader(cluster, "logs", 2);
    let lost = 0;
    change.fail = (_path, body) => {
      const isBehind = body.search_after !== undefined || body.scroll_id !== undefined;
      if (!isBehind || lost > 0) return undefined;
      lost++;
      held.clear();
      return 404;
    };
    await expect(readAll(reader.read(0))).rejects.toThrow(/logs: .*404/);
    expect(await readAll(reader.read(0))).toHaveLength(20_000);
    expect(await readAll(reader.read(1))).toHaveLength(20_000);
    await reader.close();
    expect(joinTallies(reader.tallies).documents).toBe(40_000);
    expect(held).toEqual(new Set());
  });
});

test("a server's version says how it is read, and an unknown one is not", () => {
  const of = (number: string, distribution?: string) =>
    readDialect({ version: { number, ...(distribution && { distribution }) } })?.reading;
  expect(of("7.11.2")).toBe("scroll");
  expect(of("7.12.0")).toBe("elasticsearch-pit");
  expect(of("8.15.3")).toBe("elasticsearch-pit");
  expect(of("1.3.20", "opensearch")).toBe("scroll");
  expect(of("2.19.0", "opensearch")).toBe("scroll");
  expect(of("3.2.0", "opensearch")).toBe("scroll");
  expect(of("3.3.2", "opensearch")).toBe("opensearch-pit");
  for (const unknown of ["6.8.23", "7.6.2", "10.0.0", "", "lately"])
    expect(of(unknown)).toBeUndefined();
  expect(of("4.0.0", "opensearch")).toBeUndefined();
});

test("from 9.2 on Elasticsearch is asked for the vectors that it would leave out", () => {
  const of = (number: string, distribution?: string) =>
    readDialect({ version: { number, ...(distribution && { distribution }) } })?.wholeSource;
  for (const [number, distribution] of [["9.1.5"], ["8.19.0"], ["3.3.2", "opensearch"]] as const)
    expect(of(number, distribution)).toEqual({});
  expect(of("9.2.0")).toEqual({ _source: { exclude_vectors: false } });
});
