import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  defaultRamFolder,
  isOwnRam,
  measureFolder,
  prepareRamFolder,
  refuseWithoutRoom,
  releaseRamFolder,
} from "../../src/workstation/ram-disk.ts";
import { diskFolder, ramFolder } from "../support/ram-folders.ts";

const MB = 2 ** 20;

describe("the room for a server in memory", () => {
  const refuse = (disk: number, memory: number) => () =>
    refuseWithoutRoom({ disk: disk * MB, memory: memory * MB }, 100 * MB, 192 * MB);

  test("is enough with the data and 48 MB on the disk, and twice the data and the server in memory", () => {
    expect(refuse(148, 392)).not.toThrow();
  });

  test("is refused below that, with both numbers", () => {
    expect(refuse(147.5, 392)).toThrow("the RAM disk has 148 MB left, and 148 MB are needed");
    expect(refuse(20, 392)).toThrow(
      expect.objectContaining({
        kind: "refused",
        message: "the RAM disk has 20 MB left, and 148 MB are needed",
      }),
    );
    expect(refuse(148, 200)).toThrow(
      expect.objectContaining({
        kind: "refused",
        message: "200 MB of memory are free, and 392 MB are needed",
        next: "close something, or begin with less data",
      }),
    );
  });
});

test("names a folder of its own for each user and service", () => {
  expect(defaultRamFolder("rammysql")).toBe(`/dev/shm/lcops-${process.getuid?.() ?? 0}-rammysql`);
});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(ramFolder ?? os.tmpdir(), "lcops-ram-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a folder of the RAM disk", () => {
  test.skipIf(ramFolder === undefined)("is made, and is this user's", async () => {
    const own = path.join(folder, "own");
    await prepareRamFolder({ folder: own }, {});
    await prepareRamFolder({ folder: own }, {});
    expect(await isOwnRam(own)).toBe(true);
  });

  test.skipIf(ramFolder === undefined)("is no link, and no file", async () => {
    const link = path.join(folder, "link");
    symlinkSync(folder, link);
    expect(await isOwnRam(link)).toBe(false);
    await expect(prepareRamFolder({ folder: link }, {})).rejects.toMatchObject({
      kind: "refused",
      message: `${link} belongs to somebody else`,
    });
  });

  test.skipIf(diskFolder === undefined)(
    "is refused on a disk, and where something is in the way of a mount",
    async () => {
      const onDisk = mkdtempSync(path.join(diskFolder ?? "", "lcops-disk-"));
      try {
        expect(await isOwnRam(onDisk)).toBe(false);
        await expect(prepareRamFolder({ folder: onDisk }, {})).rejects.toMatchObject({
          kind: "configuration",
          message: `${onDisk} is on no RAM disk`,
        });
        writeFileSync(path.join(onDisk, "precious"), "");
        await expect(prepareRamFolder({ folder: onDisk, sizeMb: 128 }, {})).rejects.toMatchObject({
          kind: "refused",
          message: `${onDisk} is not empty, and no RAM disk`,
        });
      } finally {
        rmSync(onDisk, { recursive: true });
      }
    },
  );

  test("is not released where lcops has mounted nothing", async () => {
    await releaseRamFolder(folder, { PATH: "/nowhere" });
    expect(existsSync(folder)).toBe(true);
  });
});

test("measures the files of a folder, those in folders too", async () => {
  const data = path.join(folder, "data");
  mkdirSync(path.join(data, "deep/er"), { recursive: true });
  const empty = await measureFolder(data);
  writeFileSync(path.join(data, "deep/er/a"), Buffer.alloc(40_000, 1));
  writeFileSync(path.join(data, "b"), Buffer.alloc(40_000, 1));
  expect((await measureFolder(data)) - empty).toBeGreaterThanOrEqual(80_000);
  expect(await measureFolder(path.join(folder, "none"))).toBe(0);
});
