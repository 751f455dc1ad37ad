import { OperatorError } from "../../system/errors.ts";
import type { AttributeValue, Item } from "./attribute-value.ts";
import type { Table } from "./describe-table.ts";
import { findNumberFault } from "./exact-number.ts";
import { isBase64 } from "./validate-item.ts";

/**
 * Given a table and the words that name a row of it, return the row's key, each word by the declared type: `007` is a text where
 * the key is one; binary is `b64:…`. Throws `usage`. Pure.
 */
export function parseRowKey(table: Table, words: readonly string[]): Item {
  if (words.length !== table.key.length) {
    const wanted = table.key.map(({ name, type }) => `${name} (${type})`).join(" and ");
    throw new OperatorError("usage", `a row of ${table.name} is named by ${wanted}`, {
      next: `give ${table.key.length === 1 ? "one word" : "two words"}, b64:… for binary`,
    });
  }
  return new Map(
    table.key.map(({ name, type }, index) => {
      const word = words[index] ?? "";
      const refuse = (what: string): never => {
        throw new OperatorError("usage", `${name}: ${what}`);
      };
      if (word === "") refuse("a key must not be empty");
      if (type === "N") {
        const fault = findNumberFault(word);
        if (fault !== undefined) refuse(fault);
      }
      if (type === "B" && !(/^b64:./.test(word) && isBase64(word.slice(4))))
        refuse("a binary key is written as b64: and its base64");
      return [name, { type, value: type === "B" ? word.slice(4) : word }];
    }),
  );
}

/** Given an item and its table, return its key; undefined where a part of it is missing. Pure. */
export function keyOf(item: Item, table: Pick<Table, "key">): Item | undefined {
  const parts = table.key.map(({ name }): [string, AttributeValue | undefined] => [
    name,
    item.get(name),
  ]);
  return parts.every(([, value]) => value !== undefined)
    ? new Map(parts as [string, AttributeValue][])
    : undefined;
}

/** Given the key of a row, return it for people: `school-1/lesson-003, 2014-03-01`. Pure. */
export function describeKey(key: Item): string {
  return [...key.values()]
    .map(({ type, value }) => `${type === "B" ? "b64:" : ""}${value as string}`)
    .join(", ");
}
