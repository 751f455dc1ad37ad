import { countOf } from "../../system/quantities.ts";
import {
  AttributeError,
  type AttributePath,
  type AttributeValue,
  type Item,
} from "./attribute-value.ts";
import { canonicalNumber, findNumberFault } from "./exact-number.ts";
import { LARGEST_ITEM_BYTES, measureItem } from "./item-size.ts";

/** An attribute of a key, with its declared type. */
export interface KeyAttribute {
  name: string;
  type: "S" | "N" | "B";
}

/** DynamoDB Developer Guide, "Quotas": nested levels, and bytes of the two key attributes. */
const DEEPEST = 32;
const LARGEST_KEY_BYTES = [2048, 1024];

/**
 * Given an item and its table, throw AttributeError for the first thing that DynamoDB would refuse: its key, those of indexes where
 * it has them, numbers past 38 digits, empty sets and members twice, binary that is no base64, depth, size. Pure.
 */
export function validateItem(
  item: Item,
  table: { key: readonly KeyAttribute[]; indexes: readonly { key: readonly KeyAttribute[] }[] },
): void {
  for (const [index, attribute] of table.key.entries()) {
    const { name, type } = attribute;
    const value = item.get(name);
    if (!value) throw new AttributeError(`the key must be there, as ${type}`, [name]);
    validateKey(value, attribute, "the key", LARGEST_KEY_BYTES[index] ?? 0);
  }
  for (const index of table.indexes) {
    for (const [place, attribute] of index.key.entries()) {
      const value = item.get(attribute.name);
      if (value)
        validateKey(value, attribute, "the key of an index", LARGEST_KEY_BYTES[place] ?? 0);
    }
  }
  for (const [name, value] of item) validateValue(value, [name], 0);
  const bytes = measureItem(item);
  if (bytes > LARGEST_ITEM_BYTES)
    throw new AttributeError(
      `the item has ${(bytes / 1024).toFixed(1)} KB, the limit is ${LARGEST_ITEM_BYTES / 1024}`,
      [],
    );
}

function validateKey(
  value: AttributeValue,
  { name, type }: KeyAttribute,
  what: string,
  limit: number,
): void {
  if (value.type !== type)
    throw new AttributeError(`${what} must be of the type ${type}, and it is ${value.type}`, [
      name,
    ]);
  if (type === "N") return;
  const bytes = Buffer.byteLength(value.value as string, type === "B" ? "base64" : "utf8");
  if (bytes === 0) throw new AttributeError(`${what} must not be empty`, [name]);
  if (bytes > limit)
    throw new AttributeError(`${what} has ${countOf(bytes, "byte")}, the limit is ${limit}`, [
      name,
    ]);
}

function validateValue(given: AttributeValue, path: AttributePath, depth: number): void {
  const refuse = (message: string): never => {
    throw new AttributeError(message, path);
  };
  const refuseNumber = (text: string): void => {
    const fault = findNumberFault(text);
    if (fault !== undefined) refuse(fault);
  };
  // An attribute of the item itself is the first level: 31 lists around a text are accepted, 32 are not.
  if (depth >= DEEPEST) refuse(`it is deeper than ${DEEPEST} levels`);
  switch (given.type) {
    case "N":
      return refuseNumber(given.value);
    case "B":
      if (!isBase64(given.value)) refuse("it is no base64");
      return;
    case "SS":
    case "NS":
    case "BS": {
      if (given.value.length === 0) refuse("a set must have a member");
      if (given.type === "NS") given.value.forEach(refuseNumber);
      if (given.type === "BS" && !given.value.every(isBase64)) refuse("a member is no base64");
      const members = given.type === "NS" ? given.value.map(canonicalNumber) : given.value;
      if (new Set(members).size < members.length) refuse("a set has a member twice");
      return;
    }
    case "L":
      for (const [index, member] of given.value.entries())
        validateValue(member, [...path, `${index}`], depth + 1);
      return;
    case "M":
      for (const [name, member] of given.value) validateValue(member, [...path, name], depth + 1);
      return;
    case "S":
    case "BOOL":
    case "NULL":
  }
}

/** Given a text, return whether it is base64, with its padding. Pure. */
export function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}
