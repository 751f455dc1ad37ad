import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { OperatorError } from "../../src/system/errors.ts";
import { explainFull, ramMysqlService } from "../../src/workstation/ram-mysql.ts";
import { makeTools } from "../support/machine-tools.ts";
import { diskFolder, ramFolder } from "../support/ram-folders.ts";
import { makePrograms, type ScriptedPrograms } from "../support/scripted-programs.ts";

describe("what failed on a RAM disk", () => {
  test.each([
    new Error("ENOSPC: no space left on device, write"),
    new OperatorError("failed", "the data could not be copied: cp: No space left on device"),
    new OperatorError("failed", "mariadb ended with 1", {
      details: ["ERROR 1114 (HY000): The table 'big' is full"],
    }),
    new OperatorError("failed", "the server has ended: Disk full"),
  ])("is told as a full disk: %s", (error) => {
    expect(explainFull(error, "/dev/shm/a")).toMatchObject({
      message: "the RAM disk of /dev/shm/a is full; nothing is left there",
      next: "give it more, or begin with less data",
      cause: error,
    });
  });

  test("is told as it is otherwise", () => {
    const error = new OperatorError("failed", "the server does not answer");
    expect(explainFull(error, "/dev/shm/a")).toBe(error);
  });
});

let programs: ScriptedPrograms;
let folder: string;
beforeAll(() => {
  programs = makePrograms();
  programs.write("mariadbd", "echo mariadbd  Ver 10.11.14-MariaDB");
  programs.write("mariadb-install-db", "exit 1");
});
beforeEach(() => {
  folder = mkdtempSync(path.join(ramFolder ?? os.tmpdir(), "lcops-ram-mysql-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
afterAll(() => programs.remove());

const make = (config: { seed?: string; folder?: string } = {}) =>
  ramMysqlService(
    "rammysql",
    { folder, ...config },
    makeTools({
      environment: programs.environment,
      cacheFolder: path.join(programs.folder, "cache"),
    }),
  );

describe.skipIf(ramFolder === undefined)("a MySQL in memory", () => {
  test("is off without data", async () => {
    expect(await make().observe()).toEqual({ state: "off" });
  });

  test("has failed where its data is there and no server", async () => {
    mkdirSync(path.join(folder, "data"));
    writeFileSync(path.join(folder, "data/ibdata1"), Buffer.alloc(3 * 2 ** 20, 1));
    expect(await make().observe()).toEqual({
      state: "failed",
      detail: "its server has ended, and its data is still there, 3 MB",
    });
  });

  test.skipIf(diskFolder === undefined)("is never what is on a disk", async () => {
    const onDisk = mkdtempSync(path.join(diskFolder ?? "", "lcops-disk-"));
    mkdirSync(path.join(onDisk, "data"));
    try {
      expect(await make({ folder: onDisk }).observe()).toEqual({
        state: "unknown",
        detail: `${onDisk}/data is there, and on no RAM disk of this user`,
      });
    } finally {
      rmSync(onDisk, { recursive: true });
    }
  });

  test("is made of its seed, and keeps a template", async () => {
    const template = path.join(programs.folder, "cache/rammysql/rammysql");
    expect(await make().plan("on", { state: "off" })).toMatchObject({
      lines: [
        `make ${folder}/data of an empty server`,
        `keep a copy as its template in ${template}`,
        "start MariaDB 10.11.14 on it",
      ],
      danger: "writes",
    });
    const seed = path.join(programs.folder, "seed.sql");
    writeFileSync(seed, "SELECT 1");
    expect((await make({ seed }).plan("on", { state: "off" })).lines[0]).toBe(
      `make ${folder}/data of ${seed}`,
    );
  });

  test("starts on the data that a killed server has left", async () => {
    mkdirSync(path.join(folder, "data"));
    expect((await make().plan("on", { state: "failed" })).lines).toEqual([
      `start its server on the data that is there, in ${folder}/data`,
    ]);
  });

  test("says that turning it off, or back to its beginning, loses data", async () => {
    const seen = { state: "on", detail: "90 MB in memory" } as const;
    const service = make();
    const off = await service.plan("off", seen);
    expect(off).toMatchObject({
      lines: [`end its server, and remove ${folder}/data`, "90 MB in memory"],
      danger: "destroys",
    });
    expect(off.undo).toBeUndefined();
    const reset = await service.planReset?.(seen);
    expect(reset?.danger).toBe("destroys");
    expect(reset?.lines.at(-1)).toBe("start it on that");
  });

  test("removes its own data alone when it is turned off", async () => {
    mkdirSync(path.join(folder, "data"));
    mkdirSync(path.join(folder, "data.part"));
    writeFileSync(path.join(folder, "notes"), "");
    await (await make().plan("off", { state: "failed" })).run();
    expect(existsSync(path.join(folder, "data"))).toBe(false);
    expect(existsSync(path.join(folder, "data.part"))).toBe(false);
    expect(existsSync(path.join(folder, "notes"))).toBe(true);
  });

  test("leaves nothing where it cannot be made", async () => {
    const own = path.join(folder, "own");
    const plan = await make({ folder: own }).plan("on", { state: "off" });
    await expect(plan.run()).rejects.toThrow(/mariadb-install-db ended with 1|are needed/);
    expect(existsSync(own)).toBe(false);
  });
});
