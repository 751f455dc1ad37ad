import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { askSupervisor } from "../../src/tunnels/ask-supervisor.ts";
import { controlSocket } from "../../src/tunnels/control-protocol.ts";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** Something that listens where a supervisor would. */
function listen(runtimeFolder: string, accept: (socket: Socket) => void): Promise<Server> {
  const server = createServer(accept);
  stops.push(() => server.close());
  return new Promise((resolve) =>
    server.listen(controlSocket(runtimeFolder), () => resolve(server)),
  );
}

test("one that ends while it is asked, and takes connections in the middle of it, is followed by another", async () => {
  const runtimeFolder = await mkdtemp(join(tmpdir(), "lcops-ask-"));
  stops.push(() => rm(runtimeFolder, { recursive: true }));
  let taken = 0;
  const ending = await listen(runtimeFolder, (socket) => {
    socket.destroy();
    if (++taken === 5) ending.close();
  });
  let starts = 0;
  const answer = await askSupervisor(
    { ask: "list" },
    {
      runtimeFolder,
      signal: new AbortController().signal,
      start: async () => {
        starts++;
        await listen(runtimeFolder, (socket) => {
          socket.end('{"pid":1}\n{"answer":{"tunnels":[]}}\n');
        });
      },
    },
  );
  expect(answer).toEqual({ tunnels: [] });
  expect([taken, starts]).toEqual([5, 1]);
});
