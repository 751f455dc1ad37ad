import { expect, test } from "vitest";
import { readMoment } from "../../src/backup/set-id.ts";

test.each([
  ["2026-01-31", "2026-01-31T23:59:59.999Z"],
  ["2026-01-31T02:15", "2026-01-31T02:15:59.999Z"],
  ["2026-01-31T02:15Z", "2026-01-31T02:15:59.999Z"],
  ["2026-01-31T02:15:00", "2026-01-31T02:15:00.999Z"],
  ["2026-01-31T02:15:00+09:00", "2026-01-30T17:15:00.999Z"],
])("%s lasts until %s", (text, last) => expect(readMoment(text)?.toISOString()).toBe(last));

test.each([
  "",
  "lately",
  "2026",
  "2026-13-01",
  "2026-02-30",
  "2026-02-30T02:15+09:00",
  "2026-01-31T",
  "2026-01-31T25:00",
  "31.1.2026",
])("%s is no moment", (text) => expect(readMoment(text)).toBeUndefined());
