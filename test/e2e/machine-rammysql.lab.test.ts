import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ServiceStatus } from "../../src/workstation/open-services.ts";
import { findObstacle, makeMachineGround, type MachineGround } from "../support/machine-ground.ts";

const obstacle = findObstacle();
const onMachine = test.skipIf(obstacle !== undefined);
const LIMIT = { timeout: 120_000 };

let ground: MachineGround;
let config: string;
beforeAll(async () => {
  if (obstacle !== undefined) return;
  ground = await makeMachineGround();
  const seed = path.join(ground.folder, "seed.sql");
  writeFileSync(
    seed,
    "CREATE DATABASE shop; USE shop; CREATE TABLE t (n INT); INSERT t VALUES (1);\n",
  );
  const small = path.join(ground.folder, "small.sql");
  copyFileSync(seed, small);
  config = ground.configure({
    services: {
      rammysql: { kind: "ram-mysql", seed },
      other: { kind: "ram-mysql" },
      zipped: { kind: "ram-mysql", seed: `${seed}.gz` },
      small: {
        kind: "ram-mysql",
        folder: path.join(ground.folder, "ram"),
        sizeMb: 128,
        seed: small,
      },
      disk: { kind: "ram-mysql", folder: path.join(ground.folder, "www") },
    },
  });
}, 60_000);
afterAll(() => ground?.stop(), 30_000);

const change = (to: string, name: string) =>
  ground.lcops(["machine", to, name, "--yes"], { config, timeoutMs: 100_000 });
const socket = (name: string): string => `/dev/shm/lcops-0-${name}/data/mysql.sock`;
const ask = async (name: string, sql: string): Promise<string> =>
  (await ground.run("mariadb", `--socket=${socket(name)}`, "-N", "-e", sql)).trim();
async function look(name: string): Promise<ServiceStatus | undefined> {
  const { stdout } = await ground.lcops(["machine", "status", "--json"], { config });
  return (JSON.parse(stdout) as ServiceStatus[]).find((one) => one.name === name);
}

/** Tests of different names run side by side. A sequential group between two such groups keeps these apart. */
const BESIDE = { ...LIMIT, concurrent: true };

describe("a MySQL in memory", BESIDE, () => {
  onMachine("is turned on, written to, reset, and off; the real data is untouched", async () => {
    const sum = async (): Promise<string> =>
      createHash("sha256")
        .update(await ground.run("sh", "-c", "tar -C /var/lib/mysql -cf - . | sha256sum"))
        .digest("hex");
    const before = await sum();
    const refused = await ground.lcops(["machine", "on", "rammysql"], { config });
    expect(refused).toMatchObject({ code: 5 });
    expect(await change("on", "rammysql")).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(await look("rammysql")).toMatchObject({
      state: "on",
      detail: expect.stringMatching(/^\d+ MB in memory/),
    });
    await ask("rammysql", "INSERT shop.t VALUES (2)");
    expect(await ask("rammysql", "SELECT COUNT(*) FROM shop.t")).toBe("2");
    expect(await change("reset", "rammysql")).toMatchObject({ code: 0 });
    expect(await ask("rammysql", "SELECT COUNT(*) FROM shop.t")).toBe("1");
    // Two at once, and the one knows nothing of the other.
    expect(await change("on", "other")).toMatchObject({ code: 0 });
    expect(await ask("other", "SHOW DATABASES")).not.toContain("shop");
    expect(await change("off", "rammysql")).toMatchObject({ code: 0 });
    expect(await ground.run("ls", "/dev/shm")).toBe("lcops-0-other\n");
    expect(await look("other")).toMatchObject({ state: "on" });
    expect(await change("off", "other")).toMatchObject({ code: 0 });
    expect(await ground.run("ls", "/dev/shm")).toBe("");
    expect(await sum()).toBe(before);
  });

  onMachine("on a RAM disk that is too small leaves nothing there", async () => {
    const big = path.join(ground.folder, "small.sql");
    const text = readFileSync(big, "utf8");
    const fill =
      "USE shop; CREATE TABLE big AS SELECT REPEAT('x', 4000) AS a FROM seq_1_to_60000;\n";
    writeFileSync(big, `${text}${fill}`);
    const full = await change("on", "small");
    writeFileSync(big, text);
    expect(full).toMatchObject({ code: 1 });
    expect(full.stderr).toMatch(/is full; nothing is left there/);
    expect(await ground.run("sh", "-c", "grep -c lcops-rammysql /proc/mounts || true")).toBe("0\n");
    expect(await change("on", "small")).toMatchObject({ code: 0 });
    expect(await look("small")).toMatchObject({ state: "on" });
    expect(await change("off", "small")).toMatchObject({ code: 0, stderr: "" });
    expect(await change("on", "disk")).toMatchObject({ code: 2 });
    expect(await ground.run("ls", "/var/www/html")).toBe("loaded.php\n");
  });
});

describe("a MySQL in memory that has no place", LIMIT, () => {
  onMachine("is refused where the memory has no room for it", async () => {
    const file = path.join(ground.folder, "meminfo");
    writeFileSync(file, "MemTotal: 2000000 kB\nMemAvailable: 204800 kB\n");
    await ground.run("mount", "--bind", file, "/proc/meminfo");
    try {
      const refused = await change("on", "other");
      expect(refused).toMatchObject({ code: 5, stdout: "" });
      expect(refused.stderr).toMatch(/: 200 MB of memory are free, and \d+ MB are needed; close/);
      expect(await ground.run("ls", "/dev/shm")).toBe("");
    } finally {
      await ground.run("umount", "/proc/meminfo");
    }
  });

  onMachine("is never what is on a disk, however it is named", async () => {
    await ground.run(
      "sh",
      "-c",
      "mkdir /var/www/html/data; echo precious > /var/www/html/data/ibdata1",
    );
    for (const to of ["off", "on", "reset"]) {
      const refused = await change(to, "disk");
      expect(refused).toMatchObject({ code: 1, stdout: "" });
      expect(refused.stderr).toContain(
        "is there, and on no RAM disk of this user; mend that first",
      );
    }
    expect(await ground.run("cat", "/var/www/html/data/ibdata1")).toBe("precious\n");
    await ground.run("rm", "-r", "/var/www/html/data");
  });
});

describe("another MySQL in memory", BESIDE, () => {
  onMachine("begins with SQL that is compressed, and not with half of it", async () => {
    const sql = readFileSync(path.join(ground.folder, "seed.sql"));
    const zipped = gzipSync(sql);
    const file = path.join(ground.folder, "seed.sql.gz");
    writeFileSync(file, zipped.subarray(0, -12));
    const half = await change("on", "zipped");
    expect(half).toMatchObject({ code: 1, stdout: "" });
    expect(half.stderr).toContain("unexpected end of file");
    expect(await look("zipped")).toMatchObject({ state: "off" });
    writeFileSync(file, zipped);
    expect(await change("on", "zipped")).toMatchObject({ code: 0 });
    expect(await ask("zipped", "SELECT n FROM shop.t")).toBe("1");
    expect(await change("off", "zipped")).toMatchObject({ code: 0 });
  });

  onMachine("that was killed keeps what it had, and recovers it", async () => {
    expect(await change("on", "rammysql")).toMatchObject({ code: 0 });
    await ask("rammysql", "INSERT shop.t VALUES (3)");
    const pid = (await ground.run("cat", "/dev/shm/lcops-0-rammysql/data/mysql.pid")).trim();
    await ground.run("sh", "-c", `kill -9 ${pid}; while kill -0 ${pid} 2>/dev/null; do :; done`);
    expect(await look("rammysql")).toMatchObject({ state: "failed" });
    expect(await change("on", "rammysql")).toMatchObject({ code: 0 });
    expect(await ask("rammysql", "SELECT COUNT(*) FROM shop.t")).toBe("2");
    expect(await change("off", "rammysql")).toMatchObject({ code: 0 });
  });
});
