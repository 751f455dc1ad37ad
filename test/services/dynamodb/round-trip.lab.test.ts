import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type AttributeValue,
  canonicalItem,
  type Item,
  itemToJson,
  readItem,
} from "../../../src/services/dynamodb/attribute-value.ts";
import { connectDynamoDb, type DynamoDb } from "../../../src/services/dynamodb/connect-dynamodb.ts";
import { parseExactJson, writeExactJson } from "../../../src/services/dynamodb/exact-json.ts";
import { itemToPlain, plainToItem } from "../../../src/services/dynamodb/plain-item.ts";
import { planPut } from "../../../src/services/dynamodb/plan-write.ts";
import { readRow } from "../../../src/services/dynamodb/read-row.ts";
import { formatRowFile, parseRowFile } from "../../../src/services/dynamodb/row-file.ts";
import { listItems, splitPage } from "../../../src/services/dynamodb/split-page.ts";
import { validateItem } from "../../../src/services/dynamodb/validate-item.ts";
import { askDynamoDb } from "../../lab/ask-dynamodb.ts";
import { EMULATORS, LIES, startEmulator, testOn } from "../../support/emulators.ts";

const NAMES = [
  "__proto__",
  "constructor",
  "Items",
  "10",
  "a.b",
  "#x",
  ":v",
  "size",
  "$set",
  "$$b64",
  "",
  "toString",
];
const NUMBERS = [
  "0",
  "-0",
  "1.50",
  "99999999999999999999999999999999999999",
  "-1234567890.1234567890123456789012345678",
  "1E-130",
  "9.9999999999999999999999999999999999999E125",
  "007",
  ".5",
  "90071992547409931",
];
const TEXTS = ['"}],', '\\"', "\u2028", "🎻", "\0", "\r\n", "", "ü", "\ufeff", '{"S":"x"}'];

const name = fc.oneof(
  fc.constantFrom(...NAMES),
  fc.string({ maxLength: 8, unit: "binary" }).map(toWellFormed),
);
const text = fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: "binary" }).map(toWellFormed));
const number = fc.oneof(
  fc.constantFrom(...NUMBERS),
  fc
    .tuple(
      fc.boolean(),
      fc.bigInt({ min: 0n, max: 10n ** 38n - 1n }),
      fc.integer({ min: -60, max: 60 }),
    )
    .map(([isNegative, digits, power]) => `${isNegative ? "-" : ""}${digits}E${power}`),
);
const binary = fc
  .uint8Array({ maxLength: 20 })
  .map((bytes) => Buffer.from(bytes).toString("base64"));
const setOf = <T extends "SS" | "NS" | "BS">(type: T, member: fc.Arbitrary<string>) =>
  fc.uniqueArray(member, { minLength: 1, maxLength: 4 }).map((value) => ({ type, value }));

function toWellFormed(given: string): string {
  return Buffer.from(given).toString();
}

const value: fc.Arbitrary<AttributeValue> = fc.letrec<{ value: AttributeValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text.map((value) => ({ type: "S" as const, value })),
    number.map((value) => ({ type: "N" as const, value })),
    binary.map((value) => ({ type: "B" as const, value })),
    fc.boolean().map((value) => ({ type: "BOOL" as const, value })),
    fc.constant({ type: "NULL" as const, value: true as const }),
    setOf("SS", text),
    setOf("NS", number),
    setOf("BS", binary),
    fc.array(tie("value"), { maxLength: 4 }).map((value) => ({ type: "L" as const, value })),
    fc
      .array(fc.tuple(name, tie("value")), { maxLength: 4 })
      .map((entries) => ({ type: "M" as const, value: new Map(entries) })),
  ),
})).value;
const item: fc.Arbitrary<Item> = fc
  .array(fc.tuple(name, value), { maxLength: 6 })
  .map((entries) => new Map(entries));

const writeItem = (given: Item): string => writeExactJson(itemToJson(given));

describe("any item", () => {
  test("is read from DynamoDB's JSON and written back byte by byte", () => {
    fc.assert(
      fc.property(item, (given) => {
        const text = writeItem(given);
        expect(writeItem(readItem(parseExactJson(text)))).toBe(text);
      }),
    );
  });

  test("is plain JSON and back, each digit and each type", () => {
    fc.assert(
      fc.property(item, (given) => {
        const plain = writeExactJson(itemToPlain(given));
        expect(writeItem(plainToItem(parseExactJson(plain)))).toBe(writeItem(given));
        // Plain JSON is JSON.
        expect(() => JSON.parse(plain) as unknown).not.toThrow();
      }),
    );
  });

  test("is a row's file and back", () => {
    const origin = { table: "t", arn: "a", account: "1", region: "r", fetchedAt: "now" };
    fc.assert(
      fc.property(item, (given) => {
        const read = parseRowFile(formatRowFile({ origin, item: given }), "row.json");
        expect(read.origin).toEqual(origin);
        expect(writeItem(read.item)).toBe(writeItem(given));
      }),
    );
  });

  test("comes out of a page byte by byte, whatever stands around it", () => {
    const blank = fc.constantFrom("", " ", "\n\t ");
    const around = fc.constantFrom(
      '"Count":1',
      '"X":["}],",{"Items":[{}]}]',
      '"Y":"\\\\\\""',
      '"Z":-1.5e3',
    );
    fc.assert(
      fc.property(
        fc.array(item, { maxLength: 4 }),
        fc.option(item, { nil: undefined }),
        blank,
        fc.array(around, { maxLength: 2 }),
        (items, lastKey, space, others) => {
          const texts = items.map(writeItem);
          const members = [
            ...others,
            `"Items":${space}[${space}${texts.join(`${space},${space}`)}${space}]`,
            ...(lastKey ? [`"LastEvaluatedKey":${writeItem(lastKey)}`] : []),
            '"ConsumedCapacity":{"TableName":"t","CapacityUnits":0.5}',
          ].toReversed();
          const page = splitPage(
            Buffer.from(`{${space}${members.join(`${space},${space}`)}${space}}`),
          );
          expect(listItems(page)).toEqual(texts);
          expect(page.lastKey).toBe(lastKey && writeItem(lastKey));
          expect(page.consumedUnits).toBe(0.5);
        },
      ),
    );
  });

  test("that is cut anywhere in its page is no page", () => {
    const body = Buffer.from('{"Items":[{"id":{"S":"\\"}],"}},{"id":{"N":"2"}}],"Count":2}');
    for (let end = 0; end < body.length; end++)
      expect(() => splitPage(body.subarray(0, end))).toThrow("no page");
    expect(listItems(splitPage(body)).length).toBe(2);
  });
});

const KEY_ONLY = { key: [{ name: "id", type: "S" as const }], indexes: [] };
const INDEXED = { ...KEY_ONLY, indexes: [{ key: [{ name: "day", type: "S" as const }] }] };

const deep = (levels: number): AttributeValue => {
  let inner: AttributeValue = { type: "S", value: "x" };
  for (let level = 0; level < levels; level++) inner = { type: "L", value: [inner] };
  return inner;
};

/** Each of these passes through an emulator and comes back the same. */
const CASES: Record<string, AttributeValue> = {
  ...Object.fromEntries(
    NUMBERS.filter((each) => /^-?\d+(\.\d+)?(E.*)?$/.test(each)).map((each) => [
      `the number ${each}`,
      { type: "N", value: each },
    ]),
  ),
  ...Object.fromEntries(
    TEXTS.map((each) => [`the text ${JSON.stringify(each)}`, { type: "S", value: each }]),
  ),
  "binary that is no text": { type: "B", value: "AP+A" },
  "empty binary": { type: "B", value: "" },
  "an empty text in a set": { type: "SS", value: ["", "x"] },
  "a set of numbers": { type: "NS", value: ["1", "-99999999999999999999999999999999999999"] },
  "a set of binary": { type: "BS", value: ["AA==", "/w=="] },
  "an empty list": { type: "L", value: [] },
  "an empty map": { type: "M", value: new Map() },
  null: { type: "NULL", value: true },
  false: { type: "BOOL", value: false },
  "a map that looks like a tag": {
    type: "M",
    value: new Map([["$set", { type: "L", value: [{ type: "S", value: "a" }] }]]),
  },
  "31 lists": deep(31),
  "an item of 399.9 KB": { type: "S", value: "x".repeat(409_500) },
};
const NAME_CASES = [...NAMES.filter((each) => each !== ""), "x".repeat(60_000)];

describe.each(EMULATORS)("the service, as %s has it", (emulator) => {
  let dynamoDb: DynamoDb;
  let stop: () => Promise<void> = async () => undefined;
  const table = `round-trip-${process.pid}`;
  beforeAll(async () => {
    const { url, close } = await startEmulator(emulator);
    stop = close;
    const environment = {
      AWS_ENDPOINT_URL_DYNAMODB: url,
      AWS_ACCESS_KEY_ID: "AKIALCOPSLABDEV00000",
      AWS_SECRET_ACCESS_KEY: "x",
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
    };
    Object.assign(process.env, environment);
    const { signal } = new AbortController();
    dynamoDb = await connectDynamoDb({ region: "us-west-2" }, { environment, signal });
    await askDynamoDb({ endpointUrl: url, region: "us-west-2" }, "CreateTable", {
      TableName: table,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    });
  });
  afterAll(async () => {
    dynamoDb.close();
    await stop();
  });

  const id = { type: "S" as const, value: "x" };
  const key: Item = new Map([["id", id]]);
  const comesBack = async (given: Item): Promise<void> => {
    validateItem(given, KEY_ONLY);
    const before = await readRow(dynamoDb, table, key);
    if (before) await dynamoDb.ask("DeleteItem", `{"TableName":"${table}","Key":{"id":{"S":"x"}}}`);
    const write = planPut(table, key, undefined, given);
    await dynamoDb.ask(write.operation, write.body);
    const found = await readRow(dynamoDb, table, key);
    expect(found && canonicalItem(found)).toBe(canonicalItem(given));
  };

  for (const [what, given] of Object.entries(CASES)) {
    testOn(emulator, what)(`${what} comes back as it was`, () =>
      comesBack(
        new Map([
          ["id", id],
          ["v", given],
        ]),
      ),
    );
  }
  for (const attribute of NAME_CASES) {
    const what = `the name ${attribute.slice(0, 20)}`;
    testOn(emulator, what)(`${what} comes back as it was, in the row and in a map`, () =>
      comesBack(
        new Map<string, AttributeValue>([
          ["id", id],
          [attribute, { type: "N", value: "1" }],
          ["map", { type: "M", value: new Map([[attribute, { type: "S", value: "y" }]]) }],
        ]),
      ),
    );
  }
});

describe("what DynamoDB would refuse", () => {
  const id: [string, AttributeValue] = ["id", { type: "S", value: "x" }];
  test.each<[string, [string, AttributeValue][], RegExp]>([
    ["39 digits", [id, ["v", { type: "N", value: "1".repeat(39) }]], /39 digits/],
    ["1E126", [id, ["v", { type: "N", value: "1E126" }]], /outside/],
    ["1E-131", [id, ["v", { type: "N", value: "1E-131" }]], /outside/],
    ["no number", [id, ["v", { type: "N", value: "0x10" }]], /no number/],
    ["an empty key", [["id", { type: "S", value: "" }]], /must not be empty/],
    ["a key of another type", [["id", { type: "N", value: "1" }]], /of the type S, and it is N/],
    [
      "the key of an index of another type",
      [id, ["day", { type: "N", value: "1" }]],
      /index must be of the type S, and it is N/,
    ],
    [
      "the key of an index that is empty",
      [id, ["day", { type: "S", value: "" }]],
      /index must not be empty/,
    ],
    ["no key", [["v", id[1]]], /must be there/],
    ["an empty set", [id, ["v", { type: "SS", value: [] }]], /a member/],
    ["a member twice", [id, ["v", { type: "NS", value: ["1", "1.0"] }]], /twice/],
    ["33 levels, 32 of them lists", [id, ["v", deep(32)]], /32 levels/],
    ["400.1 KB", [id, ["v", { type: "S", value: "x".repeat(409_700) }]], /400\.1 KB/],
    ["no base64", [id, ["v", { type: "B", value: "a" }]], /base64/],
  ])("%s is refused here", (_what, entries, said) => {
    expect(() => validateItem(new Map(entries), INDEXED)).toThrow(said);
  });
});

test("no case is a lie of every emulator", () => {
  for (const [what, liars] of Object.entries(LIES))
    expect(Object.keys(liars).length, what).toBeLessThan(2);
});
