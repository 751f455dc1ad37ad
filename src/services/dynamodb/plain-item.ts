import {
  AttributeError,
  type AttributePath,
  type AttributeValue,
  type Item,
} from "./attribute-value.ts";
import { type ExactJson, ExactNumber } from "./exact-json.ts";

/**
 * Plain JSON, for reading, without loss: numbers with all their digits, texts as they are, and a tag only for what plain JSON
 * cannot say. A map of one name that begins with $ has that $ doubled, so that it is no tag.
 */
const TAGS = { SS: "$set", NS: "$nset", BS: "$bset", B: "$b64", N: "$n" } as const;
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

const tag = (name: string, value: ExactJson): ExactJson => new Map([[name, value]]);
const writeNumber = (text: string): ExactJson =>
  JSON_NUMBER.test(text) ? new ExactNumber(text) : tag(TAGS.N, text);

/** Given an item, return it as plain JSON. Pure. */
export function itemToPlain(item: Item): Map<string, ExactJson> {
  return new Map([...item].map(([name, value]) => [name, valueToPlain(value)]));
}

/** Given a value, return it as plain JSON. Pure. */
export function valueToPlain(given: AttributeValue): ExactJson {
  switch (given.type) {
    case "N":
      return writeNumber(given.value);
    case "B":
    case "SS":
    case "BS":
      return tag(
        TAGS[given.type],
        Array.isArray(given.value) ? [...given.value] : (given.value as string),
      );
    case "NS":
      return tag(TAGS.NS, given.value.map(writeNumber));
    case "NULL":
      return null;
    case "L":
      return given.value.map(valueToPlain);
    case "M": {
      const plain = itemToPlain(given.value);
      const [name = ""] = plain.keys();
      return plain.size === 1 && name.startsWith("$")
        ? new Map([[`$${name}`, plain.get(name) ?? null]])
        : plain;
    }
    case "S":
    case "BOOL":
      return given.value;
  }
}

/** Given plain JSON, return the item that it came from. Throws AttributeError where it is none. Pure. */
export function plainToItem(json: ExactJson, path: AttributePath = []): Item {
  if (!(json instanceof Map)) throw new AttributeError("attributes are expected, in { }", path);
  return new Map([...json].map(([name, value]) => [name, plainToValue(value, [...path, name])]));
}

function plainToValue(json: ExactJson, path: AttributePath): AttributeValue {
  if (json === null) return { type: "NULL", value: true };
  if (typeof json === "string") return { type: "S", value: json };
  if (typeof json === "boolean") return { type: "BOOL", value: json };
  if (json instanceof ExactNumber) return { type: "N", value: json.text };
  if (Array.isArray(json))
    return {
      type: "L",
      value: json.map((member, index) => plainToValue(member, [...path, `${index}`])),
    };
  const [name = ""] = json.keys();
  if (json.size !== 1 || !name.startsWith("$"))
    return { type: "M", value: plainToItem(json, path) };
  const value = json.get(name) ?? null;
  if (name.startsWith("$$"))
    return { type: "M", value: plainToItem(new Map([[name.slice(1), value]]), path) };
  return readTagged(name, value, path);
}

function readTagged(name: string, value: ExactJson, path: AttributePath): AttributeValue {
  const refuse = (): never => {
    throw new AttributeError(`${name} does not go with that value`, path);
  };
  const readText = (json: ExactJson): string => (typeof json === "string" ? json : refuse());
  const readTexts = (): string[] => (Array.isArray(value) ? value.map(readText) : refuse());
  switch (name) {
    case TAGS.SS:
      return { type: "SS", value: readTexts() };
    case TAGS.BS:
      return { type: "BS", value: readTexts() };
    case TAGS.B:
      return { type: "B", value: readText(value) };
    case TAGS.N:
      return { type: "N", value: readText(value) };
    case TAGS.NS: {
      const members = Array.isArray(value) ? value : refuse();
      const numbers = members.map((member) => {
        const read = plainToValue(member, path);
        return read.type === "N" ? read.value : refuse();
      });
      return { type: "NS", value: numbers };
    }
    default:
      throw new AttributeError(`${JSON.stringify(name)} is no tag`, path);
  }
}
