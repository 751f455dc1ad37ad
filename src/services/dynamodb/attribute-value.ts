import { canonicalNumber } from "./exact-number.ts";
import type { ExactJson } from "./exact-json.ts";

/** An attribute's value with its type, as DynamoDB JSON tells it; numbers are text, binary is base64. */
export type AttributeValue =
  | { type: "S" | "N" | "B"; value: string }
  | { type: "SS" | "NS" | "BS"; value: readonly string[] }
  | { type: "BOOL"; value: boolean }
  | { type: "NULL"; value: true }
  | { type: "L"; value: readonly AttributeValue[] }
  | { type: "M"; value: Item };

export type Item = ReadonlyMap<string, AttributeValue>;

/** Where in an item: names of attributes, outermost first. */
export type AttributePath = readonly string[];

/** What is wrong with an attribute, and where. */
export class AttributeError extends Error {
  constructor(message: string, path: AttributePath) {
    super(path.length === 0 ? message : `${describePath(path)}: ${message}`);
  }
}

/** Given a path, return it as one reads it: `stats.counters`, names with dots in quotes. Pure. */
export function describePath(path: AttributePath): string {
  return path.map((name) => (/^[^.\s"[\]]+$/.test(name) ? name : JSON.stringify(name))).join(".");
}

/** Given exact JSON in DynamoDB's form, `{"name": {"S": "x"}}`, return the item. Throws AttributeError where it is none. Pure. */
export function readItem(json: ExactJson, path: AttributePath = []): Item {
  if (!(json instanceof Map)) throw new AttributeError("attributes are expected, in { }", path);
  return new Map([...json].map(([name, value]) => [name, readValue(value, [...path, name])]));
}

/** Given exact JSON of one typed value, return it. Throws AttributeError. Pure. */
export function readValue(json: ExactJson, path: AttributePath): AttributeValue {
  const [tagged, ...more] = json instanceof Map ? json : [];
  if (!tagged || more.length > 0)
    throw new AttributeError('one type is expected, as in {"S": "text"}', path);
  const [type, value] = tagged;
  const refuse = (what: string): never => {
    throw new AttributeError(`${type} needs ${what}`, path);
  };
  switch (type) {
    case "S":
    case "N":
    case "B":
      return { type, value: typeof value === "string" ? value : refuse("a text in quotes") };
    case "SS":
    case "NS":
    case "BS":
      return Array.isArray(value) && value.every((member) => typeof member === "string")
        ? { type, value: value as string[] }
        : refuse("texts in [ ]");
    case "BOOL":
      return { type, value: typeof value === "boolean" ? value : refuse("true or false") };
    case "NULL":
      return value === true ? { type, value } : refuse("true");
    case "L":
      return Array.isArray(value)
        ? { type, value: value.map((member, index) => readValue(member, [...path, `${index}`])) }
        : refuse("values in [ ]");
    case "M":
      return { type, value: readItem(value, path) };
    default:
      throw new AttributeError(`${JSON.stringify(type)} is no type`, path);
  }
}

/** Given an item, return it as exact JSON in DynamoDB's form. Pure. */
export function itemToJson(item: Item): Map<string, ExactJson> {
  return new Map([...item].map(([name, value]) => [name, valueToJson(value)]));
}

/** Given a value, return it as exact JSON with its type. Pure. */
export function valueToJson(given: AttributeValue): ExactJson {
  const tag = (value: ExactJson): ExactJson => new Map([[given.type, value]]);
  switch (given.type) {
    case "L":
      return tag(given.value.map(valueToJson));
    case "M":
      return tag(itemToJson(given.value));
    case "SS":
    case "NS":
    case "BS":
      return tag([...given.value]);
    case "S":
    case "N":
    case "B":
    case "BOOL":
    case "NULL":
      return tag(given.value);
  }
}

/**
 * Given a value, return a text that is the same for all that DynamoDB holds to be equal: numbers by value, sets and maps in any
 * order, binary by its bytes. Pure.
 */
function canonicalValue(given: AttributeValue): string {
  const base64 = (text: string): string => Buffer.from(text, "base64").toString("base64");
  switch (given.type) {
    case "N":
      return `N${canonicalNumber(given.value)}`;
    case "B":
      return `B${base64(given.value)}`;
    case "SS":
      return `SS${JSON.stringify(given.value.toSorted())}`;
    case "NS":
      return `NS${JSON.stringify(given.value.map(canonicalNumber).toSorted())}`;
    case "BS":
      return `BS${JSON.stringify(given.value.map(base64).toSorted())}`;
    case "L":
      return `L[${given.value.map(canonicalValue).join(",")}]`;
    case "M":
      return canonicalItem(given.value);
    case "S":
    case "BOOL":
    case "NULL":
      return `${given.type}${JSON.stringify(given.value)}`;
  }
}

/** Given an item, return such a text of it. Pure. */
export function canonicalItem(item: Item): string {
  const members = [...item].map(
    ([name, value]) => `${JSON.stringify(name)}:${canonicalValue(value)}`,
  );
  return `M{${members.toSorted().join(",")}}`;
}

/** Given two values, or none, return whether DynamoDB holds them to be equal. Pure. */
export function isSame(
  one: AttributeValue | undefined,
  other: AttributeValue | undefined,
): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one === other || canonicalValue(one) === canonicalValue(other);
}
