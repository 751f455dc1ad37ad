import type { TableColumn } from "../services/mysql/read-structure.ts";
import { countOf } from "../system/quantities.ts";

/** A value, as far as it is known: long ones are not. */
export interface Cell {
  /** Hexadecimal digits of its text; undefined: NULL, or long. */
  hex: string | undefined;
  bytes: number | undefined;
}

/** Given the two values of a column, say in what way they differ, and not what they are: a report is kept, sent and read by many. Pure. */
export function nameDifference(column: TableColumn, one: Cell, other: Cell): string {
  if (one.bytes === undefined || other.bytes === undefined) {
    const rest = one.bytes ?? other.bytes ?? 0;
    const what = rest === 0 ? "empty" : countOf(rest, "byte");
    return one.bytes === undefined ? `NULL against ${what}` : `${what} against NULL`;
  }
  const sizes =
    one.bytes === other.bytes
      ? countOf(one.bytes, "byte")
      : `${one.bytes} against ${countOf(other.bytes, "byte")}`;
  if (one.hex === undefined || other.hex === undefined) return `differs (${sizes})`;
  const [text, against] = [one.hex, other.hex].map((hex) =>
    Buffer.from(hex, "hex").toString("utf8"),
  );
  if (text === undefined || against === undefined) return `differs (${sizes})`;
  if (["datetime", "timestamp"].includes(column.type)) {
    const minutes =
      (Date.parse(`${against.replace(" ", "T")}Z`) - Date.parse(`${text.replace(" ", "T")}Z`)) /
      60_000;
    // Zones are apart by whole quarters of an hour, and by less than a day.
    if (minutes !== 0 && minutes % 15 === 0 && Math.abs(minutes) <= 14 * 60)
      return `shifted by ${minutes / 60} h, as by another time zone`;
  }
  if (text.trimEnd() === against.trimEnd()) return `differs in spaces at its end (${sizes})`;
  if (text.toLowerCase() === against.toLowerCase()) return "differs in upper and lower case";
  if (text.normalize("NFC") === against.normalize("NFC"))
    return "the same letters, composed otherwise (Unicode normalization)";
  if (Number(text) !== 0 && Math.abs(Number(text) / Number(against) - 1) < 1e-6)
    return "differs in its last digits";
  if (against.length > 0 && text.startsWith(against)) return `is cut off there (${sizes})`;
  if (text.length > 0 && against.startsWith(text)) return `is cut off here (${sizes})`;
  return `differs (${sizes})`;
}
