import { randomBytes } from "node:crypto";

/** Given the time, return a new name for a set: `20260131T021500Z-7f3a9c`. It sorts by its time in UTC, and two runs do not choose the same. */
export function makeSetId(now: Date): string {
  return `${now.toISOString().replace(/[-:]|\.\d+/g, "")}-${randomBytes(3).toString("hex")}`;
}

const SET_ID = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[0-9a-f]{6}$/;

/** Given the name of a set, return when it was begun; undefined where it is no such name. Pure. */
export function readSetTime(setId: string): Date | undefined {
  const [, year, month, day, hour, minute, second] = SET_ID.exec(setId) ?? [];
  if (year === undefined) return undefined;
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
