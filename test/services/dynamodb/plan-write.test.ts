import { describe, expect, test } from "vitest";
import type { AttributeValue, Item } from "../../../src/services/dynamodb/attribute-value.ts";
import type { Table } from "../../../src/services/dynamodb/describe-table.ts";
import { diffItems } from "../../../src/services/dynamodb/diff-items.ts";
import { planPageLimit, planReadUnits } from "../../../src/services/dynamodb/plan-dump.ts";
import { planPut, planUpdate } from "../../../src/services/dynamodb/plan-write.ts";

const number = (value: number): AttributeValue => ({ type: "N", value: String(value) });
const key: Item = new Map([["id", { type: "S", value: "x" }]]);
const counters = (count: number, from: number): Item =>
  new Map(Array.from({ length: count }, (_, index) => [`c${index}`, number(from + index)]));

interface Request {
  UpdateExpression: string;
  ConditionExpression: string;
  ExpressionAttributeNames: Record<string, string>;
  ExpressionAttributeValues: Record<string, unknown>;
}
const plan = (before: Item, after: Item): Request => {
  const write = planUpdate("t", key, diffItems(before, after), before);
  return JSON.parse(write.body) as Request;
};

describe("an update", () => {
  test("names every attribute by a placeholder, and holds what each was", () => {
    const before: Item = new Map([...key, ["a.b", number(1)], ["size", number(2)]]);
    const after: Item = new Map([...key, ["a.b", number(3)], ["#x", number(4)]]);
    expect(plan(before, after)).toMatchObject({
      UpdateExpression: "SET #n0 = :v0, #n1 = :v1 REMOVE #n2",
      ConditionExpression:
        "attribute_exists(#n3) AND #n0 = :v2 AND #n2 = :v3 AND attribute_not_exists(#n1)",
      ExpressionAttributeNames: { "#n0": "a.b", "#n1": "#x", "#n2": "size", "#n3": "id" },
    });
  });

  test("descends into maps, and takes lists as a whole", () => {
    const of = (seen: number, list: number): Item =>
      new Map([
        ...key,
        [
          "m",
          {
            type: "M",
            value: new Map<string, AttributeValue>([
              ["seen", number(seen)],
              ["other", number(0)],
            ]),
          },
        ],
        ["l", { type: "L", value: [number(1), number(list)] }],
      ]);
    const { UpdateExpression, ExpressionAttributeNames } = plan(of(1, 2), of(3, 4));
    expect(UpdateExpression).toBe("SET #n0.#n1 = :v0, #n2 = :v1");
    expect(Object.values(ExpressionAttributeNames)).toEqual(["m", "seen", "l", "id"]);
  });

  test("that is too long for an expression writes the map that holds it all, on the condition of the whole map", () => {
    const of = (from: number): Item =>
      new Map([...key, ["m", { type: "M", value: counters(200, from) }]]);
    const request = plan(of(0), of(1));
    expect(request.UpdateExpression).toBe("SET #n0 = :v0");
    expect(request.ConditionExpression).toBe("attribute_exists(#n1) AND #n0 = :v1");
  });

  test("of more attributes than one can hold is refused, with what to do", () => {
    const of = (from: number): Item => new Map([...key, ...counters(200, from)]);
    expect(() => plan(of(0), of(1000))).toThrow(
      expect.objectContaining({
        kind: "failed",
        next: "upload them in parts",
      }),
    );
  });
});

describe("a write of the whole row", () => {
  const of = (count: number): Item => new Map([...key, ...counters(count, 0)]);

  test("holds what each attribute was", () => {
    const { body } = planPut("t", key, of(1), of(2));
    expect(JSON.parse(body)).toMatchObject({ ConditionExpression: "#n0 = :v0 AND #n1 = :v1" });
    expect(() => planPut("t", key, undefined, of(400))).not.toThrow();
  });

  test.each([
    ["overwritten", of(1), /without --replace/],
    ["taken away", undefined, /delete-item/],
  ])("of more attributes than a condition can hold is not %s", (_what, after, next) => {
    expect(() => planPut("t", key, of(200), after)).toThrow(
      expect.objectContaining({ kind: "failed", next: expect.stringMatching(next) as string }),
    );
  });
});

const table = (provisioned?: { read: number; write: number }) =>
  ({ name: "t", items: 1000, bytes: 1_000_000, ...(provisioned && { provisioned }) }) as Table;

describe("read units", () => {
  test.each<[string, string | undefined, number | undefined, number | undefined]>([
    ["a quarter of the provisioned ones", undefined, 400, 100],
    ["one at least", undefined, 2, 1],
    ["no limit on demand", undefined, undefined, undefined],
    ["as said", "12.5", 400, 12.5],
    ["a share of the provisioned ones", "50%", 400, 200],
  ])("%s", (_what, wish, read, expected) => {
    const provisioned = read === undefined ? undefined : { read, write: 1 };
    expect(planReadUnits(wish, table(provisioned))).toBe(expected);
  });

  test("that are few make pages small: no page costs more than a second of them", () => {
    expect(planPageLimit(undefined, table())).toBeUndefined();
    expect(planPageLimit(128, table())).toBeUndefined();
    // 10 units read 80 KB, and an item has 1,000 bytes.
    expect(planPageLimit(10, table())).toBe(81);
  });
});
