import fc from "fast-check";
import { expect, test } from "vitest";
import { layOutPage, newTally } from "../../../src/services/elasticsearch/lay-out-page.ts";
import { type ScannedHit, scanPage } from "../../../src/services/elasticsearch/scan-page.ts";

const escapeUnit = (unit: number): string => String.raw`\u${unit.toString(16).padStart(4, "0")}`;
const blank = fc.stringMatching(/^[ \t\r\n]{0,2}$/);
/** JSON as text, with white space and escapes wherever they may be, and numbers that no JavaScript number holds. */
const { json } = fc.letrec<{ json: string; string: string; member: string }>((tie) => ({
  string: fc
    .string({ unit: "binary", maxLength: 8 })
    .chain((text) =>
      fc.constantFrom(
        JSON.stringify(text),
        JSON.stringify(text).replaceAll("/", String.raw`\/`),
        `"${Array.from({ length: text.length }, (_, at) => escapeUnit(text.charCodeAt(at))).join("")}"`,
      ),
    ),
  member: fc.tuple(blank, tie("string"), blank, blank, tie("json"), blank).map((all) => {
    const [one, name, two, three, value, four] = all;
    return `${one}${name}${two}:${three}${value}${four}`;
  }),
  json: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom("null", "true", "false", "-0", "1.10", "1E+400", "9223372036854775807"),
    tie("string"),
    fc.array(fc.tuple(blank, tie("json"), blank), { maxLength: 3 }).map((all) => {
      return `[${all.map((parts) => parts.join("")).join(",")}]`;
    }),
    fc.array(tie("member"), { maxLength: 3 }).map((all) => `{${all.join(",")}}`),
  ),
}));
const object = json.filter((text) => text.startsWith("{"));

const hit = fc.record({
  id: fc.string({ unit: "binary" }),
  source: object,
  before: json,
  behind: json,
});
const page = fc.record({ hits: fc.array(hit, { maxLength: 5 }), gap: blank, more: json });

type Hit = { id: string; source: string; before: string; behind: string };

function write(hits: readonly Hit[], gap: string, more: string): string {
  const texts = hits.map(
    ({ id, source, before, behind }) =>
      `{"_index":"logs",${gap}"fields":${before},"_id":${JSON.stringify(id)},"_routing":${JSON.stringify(id)},"_source":${source}${gap},"sort":[1,9007199254740993],"highlight":${behind}}`,
  );
  return `{"_scroll_id":"x","timed_out":false,"more":{"hits":${more}},"_shards":{"total":2,"failed":0},"hits":{"total":{"value":${hits.length},"relation":"eq"},"hits":${gap}[${gap}${texts.join(`${gap},`)}${gap}]},"aggregations":${more}}`;
}

test("whatever documents a page has, they are found byte for byte, and the rest is what JSON.parse makes of it", () => {
  fc.assert(
    fc.property(page, ({ hits, gap, more }) => {
      const text = write(hits, gap, more);
      const bytes = Buffer.from(text);
      const found: ScannedHit[] = [];
      const envelope = scanPage(bytes, (one) => found.push({ ...one }), undefined);
      const at = (from: number, to: number): string => bytes.toString("utf8", from, to);
      expect(found.map((one) => at(one.sourceFrom, one.sourceTo))).toEqual(
        hits.map(({ source }) => source),
      );
      expect(found.map((one) => JSON.parse(at(one.idFrom, one.idTo)) as unknown)).toEqual(
        hits.map(({ id }) => JSON.parse(JSON.stringify(id)) as unknown),
      );
      for (const one of found) expect(at(one.sortFrom, one.sortTo)).toBe("[1,9007199254740993]");
      const parsed = JSON.parse(text) as { hits: { hits: unknown[] } };
      parsed.hits.hits = [];
      expect(envelope).toEqual(parsed);
    }),
    { numRuns: 300 },
  );
});

test("documents are two lines each, whatever line breaks their source has, and mean the same", () => {
  fc.assert(
    fc.property(page, ({ hits, gap, more }) => {
      const tally = newTally();
      const { lines, documents } = layOutPage(Buffer.from(write(hits, gap, more)), tally);
      expect(documents).toBe(hits.length);
      expect(tally.documents).toBe(hits.length);
      const texts = lines.toString().split("\n");
      expect(texts.pop()).toBe("");
      expect(texts).toHaveLength(2 * hits.length);
      for (const [at, { id, source }] of hits.entries()) {
        const known = JSON.parse(JSON.stringify(id)) as string;
        expect(JSON.parse(texts[2 * at] ?? "")).toEqual({ index: { _id: known, routing: known } });
        expect(texts[2 * at + 1]).toBe(source.replaceAll(/[\r\n]/g, " "));
      }
    }),
    { numRuns: 300 },
  );
});

test("a page has room for what is put around its documents, however little stands around them there", () => {
  const bare = (id: string, more: string): string => `{"_id":"${id}"${more},"_source":{}}`;
  for (const more of ["", ',"_routing":"r"']) {
    const hits = ["a", "b", "c"].map((id) => bare(id, more));
    const { lines, documents } = layOutPage(
      Buffer.from(`{"hits":{"hits":[${hits.join(",")}]}}`),
      newTally(),
    );
    expect(documents).toBe(3);
    const routing = more === "" ? "" : ',"routing":"r"';
    expect(lines.toString()).toBe(
      ["a", "b", "c"].map((id) => `{"index":{"_id":"${id}"${routing}}}\n{}\n`).join(""),
    );
  }
});

test("a page that is cut off anywhere is no page", () => {
  const text = write([{ id: "a", source: '{"b":"\\\\"}', before: "1", behind: "[]" }], " ", "{}");
  const bytes = Buffer.from(text);
  for (let length = 0; length < bytes.length; length++)
    expect(() => layOutPage(bytes.subarray(0, length), newTally()), `${length}`).toThrow();
  expect(layOutPage(bytes, newTally()).documents).toBe(1);
});

test("a document without its source is no document", () => {
  const bytes = Buffer.from('{"hits":{"hits":[{"_id":"a"}]}}');
  expect(() => layOutPage(bytes, newTally())).toThrow("has no source");
});

test("the sum of documents does not depend on their order, and does on each of their bytes", () => {
  const sumOf = (hits: readonly Hit[]): string => {
    const tally = newTally();
    layOutPage(Buffer.from(write(hits, "", "1")), tally);
    return tally.sum.toString("hex");
  };
  const plain = { before: "1", behind: "1" };
  const one = { ...plain, id: "a", source: '{"n":1.10}' };
  const other = { ...plain, id: "b", source: '{"n":1.1}' };
  expect(sumOf([one, other])).toBe(sumOf([other, one]));
  expect(sumOf([one, other])).not.toBe(sumOf([one, { ...other, source: one.source }]));
});
