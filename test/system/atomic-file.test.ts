import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeFileAtomically } from "../../src/system/atomic-file.ts";

let ground: string;
beforeAll(async () => {
  ground = await mkdtemp(join(tmpdir(), "lcops-atomic-"));
});
afterAll(() => rm(ground, { recursive: true }));
const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe("a file that is written whole or not at all", () => {
  test("is there, for the user alone, in a folder that is too", async () => {
    const path = join(ground, "new/deeper/file.json");
    await writeFileAtomically(path, "content\n");
    expect(await readFile(path, "utf8")).toBe("content\n");
    expect([await modeOf(path), await modeOf(join(ground, "new"))]).toEqual([0o600, 0o700]);
    expect(await readdir(join(ground, "new/deeper"))).toEqual(["file.json"]);
  });

  test("replaces the old one, and its mode", async () => {
    const path = join(ground, "old");
    await writeFile(path, "a much longer old content");
    await chmod(path, 0o666);
    await writeFileAtomically(path, "new");
    expect(await readFile(path, "utf8")).toBe("new");
    expect(await modeOf(path)).toBe(0o600);
  });

  test("leaves nothing behind when it cannot be put in place", async () => {
    const folder = join(ground, "taken");
    await mkdir(join(folder, "name/in-it"), { recursive: true });
    await expect(writeFileAtomically(join(folder, "name"), "x")).rejects.toThrow(
      /EISDIR|ENOTEMPTY/,
    );
    expect(await readdir(folder)).toEqual(["name"]);
  });

  test("written by many at once is one of them, whole", async () => {
    const path = join(ground, "many");
    const contents = Array.from({ length: 20 }, (_, index) => `${index}`.repeat(50_000));
    await Promise.all(contents.map((content) => writeFileAtomically(path, content)));
    expect(contents).toContain(await readFile(path, "utf8"));
    expect((await readdir(ground)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("is old or new, never less, when its writer is killed", async () => {
    const path = join(ground, "killed");
    const length = 2_000_000;
    const script = `
      const { writeFileAtomically } = await import("./src/system/atomic-file.ts");
      process.stdout.write("ready");
      for (let round = 0; ; round++)
        await writeFileAtomically(process.argv[1], String(round % 10).repeat(${length}));`;
    const root = resolve(import.meta.dirname, "../..");
    for (let round = 0; round < 6; round++) {
      const args = ["--import", "tsx", "--input-type=module", "-e", script, path];
      const child = spawn(process.execPath, args, {
        cwd: root,
        stdio: ["ignore", "pipe", "inherit"],
      });
      const exited = once(child, "exit");
      await once(child.stdout, "data");
      await expect
        .poll(() =>
          stat(path).then(
            ({ size }) => size,
            () => 0,
          ),
        )
        .toBe(length);
      // Somewhere within one of the writes that go on without a pause.
      await new Promise((done) => setTimeout(done, 3 + round * 7));
      child.kill("SIGKILL");
      await exited;
      const content = await readFile(path, "utf8");
      expect(content.length).toBe(length);
      expect(content).toBe((content[0] ?? "").repeat(length));
    }
  });
});
