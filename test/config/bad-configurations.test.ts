import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { OperatorError } from "../../src/system/errors.ts";
import { printable } from "../../src/system/printable.ts";
import { runLcops, type LcopsResult } from "../support/run-lcops.ts";
import { BAD_FILES, type BadConfiguration } from "./bad-files.ts";
import { BAD_REFERENCES } from "./bad-references.ts";
import { BAD_VALUES } from "./bad-values.ts";
import { KINDS } from "../../src/services/registry.ts";

const ALL: readonly BadConfiguration[] = [...BAD_FILES, ...BAD_VALUES, ...BAD_REFERENCES];
const FILE = "estate.json";
const limit = pLimit(2);

let ground: string;
beforeAll(async () => {
  ground = await mkdtemp(join(tmpdir(), "lcops-bad-"));
});
afterAll(() => rm(ground, { recursive: true }));

/** The whole program, piped, with a home folder of its own. */
const check = (path: string, home: string): Promise<LcopsResult> =>
  limit(() =>
    runLcops(["config", "check", "--config", path], {
      environment: { PATH: process.env["PATH"], HOME: home },
    }),
  );

async function makeFolder(): Promise<{ folder: string; home: string }> {
  const folder = await mkdtemp(join(ground, "case-"));
  const home = await mkdtemp(join(ground, "home-"));
  return { folder, home };
}

/** What `lcops` prints for what `loadConfig` throws. */
function explain(path: string): string {
  try {
    loadConfig(path, KINDS);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    expect(error.kind).toBe("configuration");
    const next = error.next === undefined ? "" : `; ${error.next}`;
    const details = error.details.map((detail) => `  ${printable(detail)}\n`);
    return `lcops: ${printable(error.message)}${next}\n${details.join("")}`;
  }
  throw new Error(`${path} was accepted`);
}

function expectClear(answer: LcopsResult, path: string, mistakes: number): void {
  expect(answer.stdout).toBe("");
  const lines = answer.stderr.split("\n");
  expect(lines.pop()).toBe("");
  expect(lines).toHaveLength(mistakes === 1 ? 1 : mistakes + 1);
  for (const line of lines) expect(line).toContain(path);
  // eslint-disable-next-line no-control-regex -- they are what must not be there
  expect(answer.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  expect(answer.stderr).not.toMatch(/^\s+at /m);
  expect(answer.stderr).not.toMatch(/fault of lcops|hunter2/);
  expect(answer.code).toBe(2);
}

describe("a bad configuration is refused in one clear line, and nothing is touched", () => {
  test("there are at least 45 of them, each with a name of its own", () => {
    expect(new Set(ALL.map(({ name }) => name)).size).toBe(ALL.length);
    expect(ALL.length).toBeGreaterThanOrEqual(45);
  });

  test.concurrent.each(ALL)(
    "$name",
    async ({ content, at, says, mistakes = 1 }) => {
      const { folder, home } = await makeFolder();
      const path = join(folder, FILE);
      await writeFile(path, content);
      const before = await stat(path, { bigint: true });
      const answer = await check(path, home);
      expectClear(answer, path, mistakes);
      expect(answer.stderr).toContain(says);
      if (at !== undefined) expect(answer.stderr).toContain(at);
      expect(answer.stderr).toBe(explain(path));
      const after = await stat(path, { bigint: true });
      expect([after.mtimeNs, after.ino, after.mode]).toEqual([
        before.mtimeNs,
        before.ino,
        before.mode,
      ]);
      expect((await readFile(path)).equals(Buffer.from(content))).toBe(true);
      expect(await readdir(folder)).toEqual([FILE]);
      expect(await readdir(home)).toEqual([]);
    },
    60_000,
  );
});

describe("a file that cannot be read", () => {
  test("a folder is named, not listed", async () => {
    const { folder, home } = await makeFolder();
    const answer = await check(folder, home);
    expectClear(answer, folder, 1);
    expect(answer.stderr).toBe(explain(folder));
    expect(answer.stderr).toContain("cannot read");
  });

  test("a missing file says how to make one, and is not made", async () => {
    const { folder, home } = await makeFolder();
    const path = join(folder, FILE);
    const answer = await check(path, home);
    expectClear(answer, path, 1);
    expect(answer.stderr).toBe(explain(path));
    expect(answer.stderr).toContain("lcops config init");
    expect(await readdir(folder)).toEqual([]);
  });

  test("a path through a file is no folder", async () => {
    const { folder, home } = await makeFolder();
    await writeFile(join(folder, FILE), "{}");
    const path = join(folder, FILE, "inner.json");
    expectClear(await check(path, home), path, 1);
  });

  test.skipIf(process.getuid?.() === 0)("an unreadable file (not testable as root)", async () => {
    const { folder, home } = await makeFolder();
    const path = join(folder, FILE);
    await writeFile(path, "{}");
    await chmod(path, 0);
    const answer = await check(path, home);
    expectClear(answer, path, 1);
    expect(answer.stderr).toContain("permission denied");
  });

  test("an unreadable folder of the user's own is not passed over for another", async () => {
    const { home } = await makeFolder();
    await mkdir(join(home, ".config/lcops/lcops.config.json"), { recursive: true });
    const answer = await runLcops(["config", "check"], { environment: { HOME: home } });
    expectClear(answer, join(home, ".config/lcops/lcops.config.json"), 1);
  });
});
