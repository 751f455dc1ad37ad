import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { logEvent, readTunnelLog } from "../../src/tunnels/tunnel-log.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lcops-log-"));
});
afterEach(() => rm(folder, { recursive: true }));

const note = (text: string) =>
  ({ at: "2026-11-25T03:00:00.000Z", name: "mysql", event: "note", text }) as const;

test("a tunnel of the same name in another configuration has a log of its own", async () => {
  await logEvent(folder, "/one/lcops.config.json", note("of one"));
  await logEvent(folder, "/two/lcops.config.json", note("of two"));
  expect(await readTunnelLog(folder, "/one/lcops.config.json", "mysql")).toEqual([note("of one")]);
  expect(await readTunnelLog(folder, "/two/lcops.config.json", "mysql")).toEqual([note("of two")]);
  expect(await readTunnelLog(folder, "/three/lcops.config.json", "mysql")).toEqual([]);
});

test("past a megabyte a log gives way to a new one, and both are read", async () => {
  const long = "x".repeat(600_000);
  for (const text of [`1${long}`, `2${long}`, "3"]) await logEvent(folder, "/c", note(text));
  const files = await readdir(join(folder, "tunnels"));
  expect(files).toHaveLength(2);
  for (const file of files)
    expect((await stat(join(folder, "tunnels", file))).mode & 0o777).toBe(0o600);
  const texts = (await readTunnelLog(folder, "/c", "mysql")).map((event) =>
    event.event === "note" ? event.text[0] : undefined,
  );
  expect(texts).toEqual(["1", "2", "3"]);
});
