import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expandHome, findConfigPath, findFolders } from "../../src/config/folders.ts";
import { LCOPS } from "../support/program.ts";

const ROOT = resolve(import.meta.dirname, "../..");

let ground: string;
beforeAll(async () => {
  ground = await mkdtemp(join(tmpdir(), "lcops-folders-"));
});
afterAll(() => rm(ground, { recursive: true }));

describe("which file is read", () => {
  const folders = { config: "/c/lcops", state: "/s", cache: "/k", runtime: "/r" };

  test.each([
    ["--config wins", "/flag.json", { LCOPS_CONFIG: "/variable.json" }, "/flag.json"],
    ["then LCOPS_CONFIG", undefined, { LCOPS_CONFIG: "/variable.json" }, "/variable.json"],
    ["then the user's folder", undefined, {}, "/c/lcops/lcops.config.json"],
    [
      "an empty LCOPS_CONFIG is none",
      undefined,
      { LCOPS_CONFIG: "" },
      "/c/lcops/lcops.config.json",
    ],
    ["a relative --config", "x.json", {}, resolve("x.json")],
  ])("%s", (_name, flag, environment, expected) => {
    expect(findConfigPath(flag, environment, folders)).toBe(expected);
  });

  test("never the one of the working folder", async () => {
    const folder = join(ground, "work");
    const home = join(ground, "home");
    await mkdir(folder);
    await mkdir(home);
    await cp(join(ROOT, "lcops.config.example.json"), join(folder, "lcops.config.json"));
    const run = promisify(execFile)(process.execPath, [LCOPS, "config", "check"], {
      cwd: folder,
      env: { HOME: home },
    });
    await expect(run).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        `there is no configuration at ${home}/.config/lcops/lcops.config.json`,
      ) as string,
    });
  });
});

describe("lcops' folders", () => {
  const home = homedir();

  test("are those of the XDG variables", () => {
    expect(
      findFolders({
        XDG_CONFIG_HOME: "/c",
        XDG_STATE_HOME: "/s",
        XDG_CACHE_HOME: "/k",
        XDG_RUNTIME_DIR: "/r",
      }),
    ).toEqual({
      config: "/c/lcops",
      state: "/s/lcops",
      cache: "/k/lcops",
      runtime: "/s/lcops/run",
    });
  });

  test("are below the home folder without them", () => {
    expect(findFolders({})).toEqual({
      config: join(home, ".config/lcops"),
      state: join(home, ".local/state/lcops"),
      cache: join(home, ".cache/lcops"),
      runtime: join(home, ".local/state/lcops/run"),
    });
  });

  test("are below the home folder where a variable is relative or empty", () => {
    const relative = { XDG_CONFIG_HOME: "c", XDG_STATE_HOME: "./s", XDG_CACHE_HOME: "" };
    expect(findFolders({ ...relative, XDG_RUNTIME_DIR: "run" })).toEqual(findFolders({}));
  });

  test.each([
    ["~", "/h"],
    ["~/x", "/h/x"],
    ["/x/~", "/x/~"],
    ["~other/x", "~other/x"],
    ["x", "x"],
  ])("%s is %s for /h", (written, expected) => {
    expect(expandHome(written, "/h")).toBe(expected);
  });
});
