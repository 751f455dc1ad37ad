import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { Script } from "node:vm";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startProgram } from "../support/run-lcops.ts";
import { LCOPS } from "../support/program.ts";

const ROOT = join(dirname(LCOPS), "..");
const CACHE = `dist/code-cache/${process.version}-${process.arch}`;

/** Another version of Node has built it, and each has its own. */
const others = readdirSync(join(ROOT, "dist/code-cache"));
const isOthers = others.length > 0 && !others.includes(basename(CACHE));

describe.skipIf(isOthers)("the code that the build keeps", () => {
  let copy: string;

  beforeEach(() => {
    copy = mkdtempSync(join(tmpdir(), "lcops-copy-"));
    for (const part of ["bin", "dist"]) {
      cpSync(join(ROOT, part), join(copy, part), { recursive: true });
    }
  });
  afterEach(() => rmSync(copy, { recursive: true, force: true }));

  const help = () =>
    startProgram(process.execPath, [join(copy, "bin/lcops.js"), "--help"], { environment: {} })
      .ended;

  test("is there of every chunk, and V8 takes it", () => {
    const chunks = readdirSync(join(copy, "dist")).filter((name) => /-.{8}\.cjs$/.test(name));
    expect(readdirSync(join(copy, CACHE)).sort()).toEqual(chunks.sort());
    const refused = chunks.filter((name) => {
      const source = readFileSync(join(copy, "dist", name), "utf8");
      const wrapped = `(function(exports,require,module,__filename,__dirname){${source}\n})`;
      const cachedData = readFileSync(join(copy, CACHE, name));
      return new Script(wrapped, { cachedData }).cachedDataRejected !== false;
    });
    expect(refused).toEqual([]);
  });

  test("has no import() in it, which would miss its module loader", () => {
    const chunks = readdirSync(join(copy, "dist")).filter((name) => name.endsWith(".cjs"));
    const importing = chunks.filter((name) =>
      /(?<![.\w$])import\(/.test(readFileSync(join(copy, "dist", name), "utf8")),
    );
    expect(importing).toEqual([]);
  });

  test("is not needed: another version of Node has none", async () => {
    rmSync(join(copy, "dist/code-cache"), { recursive: true });
    expect(await help()).toMatchObject({ code: 0, stderr: "" });
  });

  test("is left alone where it is cut", async () => {
    for (const name of readdirSync(join(copy, CACHE))) truncateSync(join(copy, CACHE, name), 400);
    expect(await help()).toMatchObject({ code: 0, stderr: "" });
  });
});
