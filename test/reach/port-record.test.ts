import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findOpenPort, recordPort } from "../../src/reach/port-record.ts";

let folder: string;
let server: Server;
let port: number;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lcops-record-"));
  await mkdir(join(folder, "tunnels"));
  server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as { port: number }).port;
});
afterAll(async () => {
  await new Promise((done) => server.close(done));
  await rm(folder, { recursive: true });
});
const put = (name: string, content: string) =>
  writeFile(join(folder, "tunnels", `${name}.json`), content);

describe("the record of an open tunnel", () => {
  test("is found by others while its process holds the port, and can be taken back", async () => {
    const record = { name: "graphite", port, pid: process.pid };
    const forget = await recordPort(folder, record);
    expect(await findOpenPort(folder, "graphite")).toEqual(record);
    expect((await stat(join(folder, "tunnels/graphite.json"))).mode & 0o777).toBe(0o600);
    await forget();
    expect(await findOpenPort(folder, "graphite")).toBeUndefined();
    await forget();
    expect(await readdir(join(folder, "tunnels"))).toEqual([]);
  });

  test("makes its folder, for the user alone", async () => {
    const fresh = join(folder, "fresh");
    await recordPort(fresh, { name: "x", port, pid: process.pid });
    expect((await stat(join(fresh, "tunnels"))).mode & 0o777).toBe(0o700);
  });

  test("is none where nothing was ever recorded", async () => {
    expect(await findOpenPort(join(folder, "nowhere"), "graphite")).toBeUndefined();
  });

  test("is none once its process is gone", async () => {
    const child = spawn(process.execPath, ["-e", ""]);
    await once(child, "exit");
    await put("stale", JSON.stringify({ name: "stale", port: 1, pid: child.pid }));
    expect(await findOpenPort(folder, "stale")).toBeUndefined();
  });

  test("is none where the port is another program's, or the pid is", async () => {
    await put("other", JSON.stringify({ name: "other", port, pid: 1 }));
    expect(await findOpenPort(folder, "other")).toBeUndefined();
    const free = createServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const { port: unused } = free.address() as { port: number };
    await new Promise((done) => free.close(done));
    await put("mine", JSON.stringify({ name: "mine", port: unused, pid: process.pid }));
    expect(await findOpenPort(folder, "mine")).toBeUndefined();
  });

  test.each(['{"name":"half","po', "", "null", "{}", "[]", "5", '"x"', '{"port":"x"}', "\0\0"])(
    "is none where the file is %j",
    async (content) => {
      await put("half", content);
      expect(await findOpenPort(folder, "half")).toBeUndefined();
    },
  );
});
