import { randomInt } from "node:crypto";

/** Of the 24 bits behind the second, ten are the millisecond. */
const RANDOM_BITS = 14;

/**
 * Given the time, return a new name for a set: `20260131T021500Z-7f3a9c`. Names sort by their time (UTC), to the millisecond, and two runs do not
 * choose the same.
 */
export function makeSetId(now: Date): string {
  const second = now.toISOString().replace(/[-:]|\.\d+/g, "");
  const rest = now.getUTCMilliseconds() * 2 ** RANDOM_BITS + randomInt(2 ** RANDOM_BITS);
  return `${second}-${rest.toString(16).padStart(6, "0")}`;
}

/** `2026-01-31`, `2026-01-31T02:15`, with seconds or not, in UTC unless it says otherwise. */
const MOMENT = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?$/;

/** Given what an operator calls a moment, return its last millisecond: of a day its end. Undefined where it is none. Pure. */
export function readMoment(text: string): Date | undefined {
  const [, time, seconds, zone] = MOMENT.exec(text) ?? [];
  if (!MOMENT.test(text)) return undefined;
  const length = time === undefined ? 86_400_000 : seconds === undefined ? 60_000 : 1_000;
  const day = text.slice(0, "2026-01-31".length);
  // Date takes the 30th of February for the 2nd of March.
  if (!new Date(`${day}T00:00Z`).toJSON()?.startsWith(day)) return undefined;
  const begin = new Date(time === undefined || zone !== undefined ? text : `${text}Z`);
  return Number.isNaN(begin.getTime()) ? undefined : new Date(begin.getTime() + length - 1);
}

const SET_ID = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[0-9a-f]{6}$/;

/** Given the name of a set, return the second in which it was begun; undefined where it is no such name. Pure. */
export function readSetTime(setId: string): Date | undefined {
  const [, year, month, day, hour, minute, second] = SET_ID.exec(setId) ?? [];
  if (year === undefined) return undefined;
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
