import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { beginOf, openBookmark, passKey, passWhole } from "../../src/consistency/bookmark.ts";
import { draftReport } from "../../src/consistency/report.ts";
import type { TableColumn } from "../../src/services/mysql/read-structure.ts";

let folder = "";
beforeEach(() => void (folder = mkdtempSync(path.join(os.tmpdir(), "lcops-bookmark-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const id: TableColumn = {
  name: "id",
  type: "int",
  isNullable: false,
  charset: undefined,
  collation: undefined,
  mostBytes: undefined,
};
const open = (resume: boolean, subject: unknown = { service: "school" }) =>
  openBookmark(folder, "school", subject, resume);

/** What a run leaves that is cut off in its second reference. */
async function leave(): Promise<void> {
  const part = (await open(false)).openPart("references");
  const draft = draftReport("references", "school");
  draft.look("foreign keys", 1);
  draft.find({ object: "a.b", key: "id=7", kind: "orphan", detail: "" });
  passWhole(part.progress, "first");
  passKey(part.progress, "second", ["41"], [id]);
  draft.leave("second", "the time for it is over");
  await part.flush(draft.end());
}

test("a check that was cut off goes on behind its last key, with what it had found", async () => {
  await leave();
  const { progress, earlier } = (await open(true)).openPart("references");
  expect(progress.done).toEqual(["first"]);
  expect(beginOf(progress, "second", [id])).toEqual(["41"]);
  expect(beginOf(progress, "third", [id])).toBeUndefined();
  const report = draftReport("references", "school", earlier).end();
  expect(report).toMatchObject({ looked: { "foreign keys": 1 }, skipped: [] });
  expect(report.findings.map(({ key }) => key)).toEqual(["id=7"]);
});

test("a key is nothing to go on with once its column is of another type", async () => {
  await leave();
  const { progress } = (await open(true)).openPart("references");
  expect(beginOf(progress, "second", [{ ...id, type: "varchar" }])).toBeUndefined();
});

test("it begins anew without --resume, with another configuration, after a day, and with a file that is none", async () => {
  await leave();
  const file = path.join(folder, "consistency/school.json");
  const written = readFileSync(file, "utf8");
  const isEmpty = async (opened: ReturnType<typeof open>): Promise<void> =>
    expect((await opened).openPart("references")).toMatchObject({
      progress: { done: [] },
      earlier: undefined,
    });
  await isEmpty(open(false));
  await isEmpty(open(true, { service: "school", exclude: ["school.a"] }));
  const stored = JSON.parse(written) as { at: string };
  stored.at = new Date(Date.now() - 25 * 3_600_000).toISOString();
  for (const text of [JSON.stringify(stored), written.slice(0, -20), ""]) {
    writeFileSync(file, text);
    await isEmpty(open(true));
  }
  writeFileSync(file, written);
  expect((await open(true)).openPart("references").progress.done).toEqual(["first"]);
});
