import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findOpenPort, recordPort, type TunnelIdentity } from "../../src/reach/port-record.ts";

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
const tunnel = (name: string): TunnelIdentity => ({
  configPath: "/etc/lcops.json",
  name,
  host: "GraphStats",
  target: { host: "127.0.0.1", port: 80 },
});
/** Put something else where the record of a tunnel stands. */
const put = async (name: string, content: string): Promise<void> => {
  const forget = await recordPort(folder, tunnel(name), { port: 1, pid: 1 });
  const file = (await readdir(join(folder, "tunnels"))).find((entry) =>
    entry.startsWith(`${name}-`),
  );
  await forget();
  await writeFile(join(folder, "tunnels", file ?? ""), content);
};

describe("the record of an open tunnel", () => {
  test("is found by others while its process holds the port, and can be taken back", async () => {
    const record = { port, pid: process.pid };
    const forget = await recordPort(folder, tunnel("graphite"), record);
    expect(await findOpenPort(folder, tunnel("graphite"))).toEqual(record);
    const [file = ""] = await readdir(join(folder, "tunnels"));
    expect((await stat(join(folder, "tunnels", file))).mode & 0o777).toBe(0o600);
    await forget();
    expect(await findOpenPort(folder, tunnel("graphite"))).toBeUndefined();
    await forget();
    expect(await readdir(join(folder, "tunnels"))).toEqual([]);
  });

  test.each([
    ["another configuration", { configPath: "/home/me/lcops.json" }],
    ["another host", { host: "TextLogs" }],
    ["another port there", { target: { host: "127.0.0.1", port: 81 } }],
    ["another address there", { target: { host: "10.0.0.1", port: 80 } }],
  ])("is not that of a service of the same name in %s", async (_where, other) => {
    const forget = await recordPort(folder, tunnel("graphite"), { port, pid: process.pid });
    expect(await findOpenPort(folder, { ...tunnel("graphite"), ...other })).toBeUndefined();
    await forget();
  });

  test("makes its folder, for the user alone", async () => {
    const fresh = join(folder, "fresh");
    await recordPort(fresh, tunnel("x"), { port, pid: process.pid });
    expect((await stat(join(fresh, "tunnels"))).mode & 0o777).toBe(0o700);
  });

  test("is none where nothing was ever recorded", async () => {
    expect(await findOpenPort(join(folder, "nowhere"), tunnel("graphite"))).toBeUndefined();
  });

  test("is none once its process is gone", async () => {
    const child = spawn(process.execPath, ["-e", ""]);
    await once(child, "exit");
    await put("stale", JSON.stringify({ port: 1, pid: child.pid }));
    expect(await findOpenPort(folder, tunnel("stale"))).toBeUndefined();
  });

  test("is none where the port is another program's, or the pid is", async () => {
    await put("other", JSON.stringify({ port, pid: 1 }));
    expect(await findOpenPort(folder, tunnel("other"))).toBeUndefined();
    const free = createServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const { port: unused } = free.address() as { port: number };
    await new Promise((done) => free.close(done));
    await put("mine", JSON.stringify({ port: unused, pid: process.pid }));
    expect(await findOpenPort(folder, tunnel("mine"))).toBeUndefined();
  });

  test.each(['{"name":"half","po', "", "null", "{}", "[]", "5", '"x"', '{"port":"x"}', "\0\0"])(
    "is none where the file is %j",
    async (content) => {
      await put("half", content);
      expect(await findOpenPort(folder, tunnel("half"))).toBeUndefined();
    },
  );
});
