import { expect, test } from "vitest";
import { LCOPS } from "../support/program.ts";
import { startProgram } from "../support/run-lcops.ts";

/** Runs lcops, and writes to stderr how many characters of the bundle it has loaded. */
const COUNT = `
  const fs = require("node:fs");
  const { readFileSync } = fs;
  let loaded = 0;
  fs.readFileSync = (path, ...options) => {
    const found = readFileSync(path, ...options);
    if (/dist\\/[^/]+\\.cjs$/.test(String(path))) loaded += found.length;
    return found;
  };
  process.on("exit", () => process.stderr.write(String(loaded)));
  require(${JSON.stringify(LCOPS)});
`;

test.each([
  ["--version", 10_000],
  // Without the configuration's schema, the inventory and every handler.
  ["--help", 120_000],
])("%s loads no more of the bundle than it needs", async (word, most) => {
  const { code, stderr } = await startProgram(process.execPath, ["-e", COUNT, "lcops", word], {
    environment: {},
  }).ended;
  expect(code).toBe(0);
  expect(Number(stderr)).toBeGreaterThan(1_000);
  expect(Number(stderr)).toBeLessThan(most);
});
