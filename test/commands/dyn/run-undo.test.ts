import { describe, expect, test } from "vitest";
import { findEntry } from "../../../src/commands/dyn/run-undo.ts";
import type { JournalEntry } from "../../../src/system/journal.ts";
import { tellFailure } from "../../support/fake-context.ts";

const entry = (id: string, kind?: string, state?: "done" | "failed" | "unknown"): JournalEntry => ({
  id,
  at: "2026-01-31T00:00:00Z",
  by: "me@here",
  command: "lcops",
  change: "x",
  ...(kind !== undefined && { undo: { kind } }),
  ...(state && { outcome: { state, at: "2026-01-31T00:00:01Z" } }),
});
const JOURNAL = [
  entry("one", "dynamodb", "done"),
  entry("key", "host-key", "done"),
  entry("two", "dynamodb", "unknown"),
  entry("never", "dynamodb", "failed"),
  entry("flush", undefined, "done"),
];

describe("the change that is undone", () => {
  test("is the last one of a row that was made, or may have been", () => {
    expect(findEntry(JOURNAL, undefined).id).toBe("two");
    // Killed amid its write: nobody knows.
    expect(findEntry([...JOURNAL, entry("cut", "dynamodb")], undefined).id).toBe("cut");
  });

  test("is that of the id", () => {
    expect(findEntry(JOURNAL, "one").id).toBe("one");
  });

  test.each<[JournalEntry[], string | undefined, number, string]>([
    [JOURNAL, "never", 5, "the change never was never made; see lcops history for those that were"],
    [JOURNAL, "key", 2, "the journal has no change key of a row; see lcops history"],
    [JOURNAL, "flush", 2, "the journal has no change flush of a row; see lcops history"],
    [JOURNAL, "nosuch", 2, "the journal has no change nosuch of a row; see lcops history"],
    [[], undefined, 2, "no row was changed with lcops yet; see lcops history"],
    [JOURNAL.slice(3), undefined, 2, "no row was changed with lcops yet; see lcops history"],
  ])("is refused: %#", async (journal, id, code, said) => {
    expect(await tellFailure(() => findEntry(journal, id))).toEqual({
      code,
      stdout: "",
      stderr: `lcops: ${said}\n`,
    });
  });
});
