import { countOf } from "../../system/quantities.ts";
/** DynamoDB Developer Guide, "Supported data types": 38 digits, magnitudes from 1E-130 to 9.99…E+125. */
const MOST_DIGITS = 38;
const [LOWEST, HIGHEST] = [-130, 125];
const DECIMAL = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/;

interface Decimal {
  isNegative: boolean;
  /** Without zeros at either end; empty for zero. */
  digits: string;
  /** Power of ten of the first digit. */
  magnitude: number;
}

function readDecimal(text: string): Decimal | undefined {
  const [, sign = "", whole = "", fraction = "", power = "0"] = DECIMAL.exec(text) ?? [];
  if (whole + fraction === "") return undefined;
  const all = whole + fraction;
  const leading = /^0*/.exec(all)?.[0].length ?? 0;
  const digits = all.slice(leading).replace(/0+$/, "");
  return {
    isNegative: sign === "-" && digits !== "",
    digits,
    magnitude: digits === "" ? 0 : whole.length - leading - 1 + Number(power),
  };
}

/** Given the text of a number, return what is wrong with it for DynamoDB, or undefined. Pure. */
export function findNumberFault(text: string): string | undefined {
  const decimal = readDecimal(text);
  if (!decimal) return `${JSON.stringify(text.slice(0, 60))} is no number`;
  if (decimal.digits.length > MOST_DIGITS)
    return `${text.slice(0, 60)} has ${countOf(decimal.digits.length, "digit")}, the limit is ${MOST_DIGITS}`;
  const isWithin = decimal.magnitude >= LOWEST && decimal.magnitude <= HIGHEST;
  return isWithin ? undefined : `${text.slice(0, 60)} is outside of 1E${LOWEST} to 9.99E${HIGHEST}`;
}

/** Given the text of a number, return the text that all writings of its value share: `1.50`, `1.5` and `15E-1` give one. Pure. */
export function canonicalNumber(text: string): string {
  const decimal = readDecimal(text);
  if (!decimal) return text;
  const { isNegative, digits, magnitude } = decimal;
  return digits === "" ? "0" : `${isNegative ? "-" : ""}${digits}E${magnitude}`;
}

/** Given the text of a number, return its significant digits, of which its size is made. Pure. */
export function countDigits(text: string): { digits: number; isNegative: boolean } {
  const decimal = readDecimal(text);
  return { digits: decimal?.digits.length ?? 0, isNegative: decimal?.isNegative ?? false };
}
