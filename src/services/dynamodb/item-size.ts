import type { AttributeValue, Item } from "./attribute-value.ts";
import { countDigits } from "./exact-number.ts";

/** The largest item. DynamoDB Developer Guide, "Quotas": 400 KB, names included. */
export const LARGEST_ITEM_BYTES = 400 * 1024;

const textBytes = (text: string): number => Buffer.byteLength(text);
const binaryBytes = (base64: string): number => Buffer.byteLength(base64, "base64");
const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);

/** About one byte for two digits and one more, another for the sign; never over 21. */
function numberBytes(text: string): number {
  const { digits, isNegative } = countDigits(text);
  return Math.min(21, Math.ceil(digits / 2) + 1 + (isNegative ? 1 : 0));
}

/** Given a value, return its bytes by the published rules: DynamoDB Developer Guide, "Item sizes and formats". Pure. */
export function measureValue(given: AttributeValue): number {
  switch (given.type) {
    case "S":
      return textBytes(given.value);
    case "N":
      return numberBytes(given.value);
    case "B":
      return binaryBytes(given.value);
    case "SS":
      return sum(given.value.map(textBytes));
    case "NS":
      return sum(given.value.map(numberBytes));
    case "BS":
      return sum(given.value.map(binaryBytes));
    case "BOOL":
    case "NULL":
      return 1;
    case "L":
      return 3 + sum(given.value.map((member) => 1 + measureValue(member)));
    case "M":
      return (
        3 + sum([...given.value].map(([name, value]) => 1 + textBytes(name) + measureValue(value)))
      );
  }
}

/** Given an item, return its bytes: its names and its values. Pure. */
export function measureItem(item: Item): number {
  return sum([...item].map(([name, value]) => textBytes(name) + measureValue(value)));
}
