import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { LCOPS } from "../support/program.ts";
import { KINDS } from "../../src/services/registry.ts";

let ground: string;
beforeAll(async () => {
  ground = await mkdtemp(join(tmpdir(), "lcops-load-"));
});
afterAll(() => rm(ground, { recursive: true }));

const put = async (name: string, content: string | Buffer): Promise<string> => {
  const path = join(ground, name);
  await writeFile(path, content);
  return path;
};

describe("a good configuration", () => {
  test.each([
    ["an empty object", "{}"],
    ["white space around it", " \r\n{ }\n\n"],
    ["a byte order mark", '\ufeff{"menu": []}'],
  ])("is read with %s", async (_what, text) => {
    expect(loadConfig(await put("good.json", text), KINDS)).toEqual(
      JSON.parse(text.replace("\ufeff", "")),
    );
  });

  test("may name hosts and services like the properties of every object", async () => {
    const names = ["constructor", "toString", "hasOwnProperty", "valueOf"];
    const config = {
      hosts: Object.fromEntries(names.map((name) => [name, { user: name }])),
      services: { toString: { kind: "redis", host: "toString", port: 6379 } },
    };
    const loaded = loadConfig(await put("names.json", JSON.stringify(config)), KINDS);
    expect(loaded).toEqual(config);
    expect(Object.keys(loaded.hosts ?? {})).toEqual(names);
  });

  test("may lead two ways over one jump host, which is no circle", async () => {
    const config = { hosts: { web: { jump: ["a", "b"] }, a: { jump: ["b"] }, b: {} } };
    expect(loadConfig(await put("ways.json", JSON.stringify(config)), KINDS)).toEqual(config);
  });

  test("is checked in a second where many hosts have many jump hosts", async () => {
    const count = 40;
    const names = Array.from({ length: count }, (_, index) => `h${index}`);
    const hosts = Object.fromEntries(
      names.map((name, index) => [name, index + 1 < count ? { jump: names.slice(index + 1) } : {}]),
    );
    const path = await put("dense.json", JSON.stringify({ hosts }));
    // In a process of its own: a check that never ends could not be stopped in this one.
    const run = promisify(execFile)(
      process.execPath,
      [LCOPS, "config", "check", "-v", "--config", path],
      {
        timeout: 8_000,
        killSignal: "SIGKILL",
      },
    );
    expect((await run).stderr).toContain("40 hosts");
  });
});

test("thousands of mistakes are answered in bounded time, each with its line", async () => {
  const keys = Array.from({ length: 20_000 }, (_, index) => `"k${index}": 1`);
  const path = await put("mistakes.json", `{\n${keys.join(",\n")}\n}`);
  const started = performance.now();
  let message = "";
  let details: readonly string[] = [];
  try {
    loadConfig(path, KINDS);
  } catch (error) {
    ({ message, details } = error as { message: string; details: readonly string[] });
  }
  expect(message).toBe(`${path} has 20000 mistakes`);
  expect(details[17]).toBe(`${path}:19: k17: this key is not known`);
  expect(performance.now() - started).toBeLessThan(2_500);
});
