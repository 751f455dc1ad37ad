import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import net from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { startRelay, type Relay } from "../lab/relay.ts";
import { until } from "../support/until.ts";
import { knownHostLine, makeGround, type Ground } from "../support/ground.ts";
import { testWith } from "../support/lab.ts";
import { LCOPS } from "../support/program.ts";
import { startProgram, type RunningLcops } from "../support/run-lcops.ts";

const MEBIBYTE = 1024 * 1024;
const hash = (data: Buffer): string => createHash("sha256").update(data).digest("hex");

let ground: Ground;
let server: net.Server;
let relay: Relay;
let tunnel: RunningLcops;
let port = 0;
/** What the server has received of a client that has ended. */
let received: Promise<Buffer>;
let receive: (data: Buffer) => void;
const block = randomBytes(MEBIBYTE);

/** The first four bytes say what the server does. */
function serve(socket: net.Socket): void {
  socket.on("error", () => {});
  socket.once("end", () => {
    if (socket.bytesRead === 0) socket.end();
  });
  socket.once("data", (first: Buffer) => {
    const word = first.toString("latin1", 0, 4);
    const chunks = [first.subarray(4)];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    const ended = once(socket, "end").catch(() => undefined);
    if (word === "GET ")
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    else if (word === "ECHO") void ended.then(() => socket.end(Buffer.concat(chunks)));
    else if (word === "HALF") void ended.then(() => socket.end(repeat(3)));
    else if (word === "BOTH") {
      socket.write(repeat(50));
      void ended.then(() => {
        receive(Buffer.concat(chunks));
        socket.end();
      });
    } else if (word === "DOWN") socket.write(repeat(200));
    else if (word === "POUR") pourBlocks(socket, POURED);
    else if (word === "BACK") {
      socket.write(first.subarray(4));
      socket.removeAllListeners("data").on("data", (chunk: Buffer) => socket.write(chunk));
      void ended.then(() => socket.end());
    } else if (word === "SHUT") {
      socket.on("data", () => {
        if (socket.bytesRead > MEBIBYTE) socket.resetAndDestroy();
      });
    }
  });
}

/** So many blocks are more than what the kernel takes for a reader that does not read. */
const POURED = 24;
function pourBlocks(socket: net.Socket, count: number): void {
  let left = count;
  const pour = (): void => {
    while (left-- > 0) if (!socket.write(block)) return;
    socket.end();
  };
  socket.on("drain", pour);
  pour();
}

const repeat = (mebibytes: number): Buffer =>
  Buffer.concat(Array.from({ length: mebibytes }, () => block));

/** How a client's connection has ended, in a word: a body of megabytes makes no message. */
const endOf = (all: Promise<Buffer>): Promise<string> =>
  all.then(
    () => "a clean end",
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );

/** A client that says the word; `all` resolves with what came before a clean end, and rejects when there was none. */
function openClient(word: string): { socket: net.Socket; all: Promise<Buffer> } {
  const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.write(word);
  const all = new Promise<Buffer>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("end", () => resolve(Buffer.concat(chunks)));
    socket.setTimeout(15_000, () => socket.destroy(new Error("nothing moves")));
  });
  all.catch(() => undefined);
  return { socket, all };
}

beforeAll(async () => {
  ground = await makeGround();
  const host = ground.lab.hosts["GraphStats"];
  if (!host) return;
  server = net.createServer({ allowHalfOpen: true }, serve);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  relay = await startRelay({ host: host.address, port: host.port });
});
afterAll(async () => {
  await relay?.close();
  server?.close();
  ground.remove();
});

async function openTunnel(): Promise<void> {
  const host = ground.lab.hosts["GraphStats"];
  if (!host) throw new Error("there is no GraphStats");
  const { configFile } = ground.writeSshConfig([
    knownHostLine(host.hostKeyFile, relay.address, relay.port),
  ]);
  port = await ground.pickPort();
  const config = ground.deriveConfig((changed) => {
    changed.ssh = { configFile };
    changed.hosts = { far: { address: { eip: relay.address }, port: relay.port } };
    delete changed.backups;
    changed.services = {
      own: {
        kind: "http",
        host: "far",
        port: (server.address() as net.AddressInfo).port,
        localPort: port,
      },
    };
    changed.menu = [];
  });
  // In a process of its own: its memory and its descriptors are counted.
  tunnel = startProgram(process.execPath, [LCOPS, "tunnel", "open", "own", "--config", config], {
    environment: ground.environment,
  });
  await tunnel.waitFor(/ready \(/);
}

async function closeTunnel(): Promise<void> {
  tunnel.send("SIGTERM");
  expect((await tunnel.ended).code).toBe(143);
}

testWith("hosts")(
  "half a close is kept: the client ends, 3 MB come afterwards, whole",
  async () => {
    await openTunnel();
    const { socket, all } = openClient("HALF");
    socket.end();
    expect(hash(await all)).toBe(hash(repeat(3)));
    await closeTunnel();
  },
);

testWith("hosts")("50 MB both ways at once arrive whole", async () => {
  await openTunnel();
  received = new Promise((resolve) => (receive = resolve));
  const { socket, all } = openClient("BOTH");
  socket.end(repeat(50));
  expect(hash(await received)).toBe(hash(repeat(50)));
  expect(hash(await all)).toBe(hash(repeat(50)));
  await closeTunnel();
});

testWith("hosts")("single bytes, and none at all", async () => {
  await openTunnel();
  const empty = net.connect(port, "127.0.0.1");
  empty.end();
  await once(empty.resume(), "close");
  const { socket, all } = openClient("BACK");
  for (let index = 0; index < 50; index++) {
    socket.write(String.fromCharCode(index));
    await once(socket, "data");
  }
  socket.end();
  expect([...(await all)]).toEqual(Array.from({ length: 50 }, (_, index) => index));
  await closeTunnel();
});

testWith("hosts")(
  "20 clients that stop reading cost no more than the budget, others go on, then all arrives",
  async () => {
    await openTunnel();
    const readMb = (name: string): number => {
      const status = readFileSync(`/proc/${tunnel.pid}/status`, "utf8");
      return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
    };
    const before = readMb("VmRSS");
    const stalled = Array.from({ length: 20 }, () => {
      const socket = net.connect({ port, host: "127.0.0.1" });
      socket.write("POUR");
      return socket.pause();
    });
    let seen = -1;
    await until(
      "nothing is taken any more",
      async () => {
        const last = seen;
        seen = relay.counters().bytesToClient;
        await wait(200);
        return seen === last && seen > 20 * MEBIBYTE;
      },
      15_000,
    );
    const poured = hash(repeat(POURED));
    expect(hash(await openClient("POUR").all)).toBe(poured);
    // Of the windows, and as much again for what one transfer at full speed leaves to the collector.
    expect(readMb("VmHWM") - before).toBeLessThan(2 * 64);
    const hashes = await Promise.all(
      stalled.map(async (socket) => {
        const digest = createHash("sha256");
        socket.on("data", (chunk: Buffer) => digest.update(chunk));
        await once(socket.resume(), "end");
        return digest.digest("hex");
      }),
    );
    expect([...new Set(hashes)]).toEqual([poured]);
    await closeTunnel();
  },
);

testWith("hosts")(
  "clients that reset half way leave nothing that keeps lcops from ending",
  async () => {
    await openTunnel();
    const clients = Array.from({ length: 5 }, () => openClient("POUR"));
    for (const { socket } of clients) {
      await once(socket, "data");
      socket.resetAndDestroy();
    }
    expect(hash(await openClient("POUR").all)).toBe(hash(repeat(POURED)));
    await closeTunnel();
  },
);

testWith("hosts")("an upload that the service resets half way ends with an error", async () => {
  await openTunnel();
  const { socket } = openClient("SHUT");
  const closed = once(socket, "close", { signal: AbortSignal.timeout(5_000) });
  const pour = (): void => {
    while (!socket.destroyed && socket.write(block));
  };
  socket.on("drain", pour);
  pour();
  // An end may come first: over SSH a reset is an end and a close.
  await expect(closed).rejects.toThrow(/ECONNRESET|EPIPE/);
  expect(hash(await openClient("POUR").all)).toBe(hash(repeat(POURED)));
  await closeTunnel();
});

testWith("hosts")("200 connections at once are all answered, and none stays open", async () => {
  await openTunnel();
  const count = (): number => readdirSync(`/proc/${tunnel.pid}/fd`).length;
  const before = count();
  const answers = await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const { socket, all } = openClient("ECHO");
      socket.end(`number ${index}`);
      const answer = (await all.catch((error: Error) => error.message)).toString();
      socket.destroy();
      return answer === `number ${index}` ? "right" : answer;
    }),
  );
  expect([...new Set(answers)]).toEqual(["right"]);
  await until("the sockets are gone", () => count() <= before);
  await closeTunnel();
});

/**
 * Says `half` after 5 MB, and at last how its connection has ended. Not in Node, whose own sockets take a reset for an end
 * when it comes right behind data (libuv, POLLHUP after a partial read).
 */
const READER = `
use Socket; use Errno; $| = 1; my ($size, $said, $data) = (0, 0);
socket(S, PF_INET, SOCK_STREAM, 0); connect(S, sockaddr_in($ARGV[0], INADDR_LOOPBACK)) or die; syswrite(S, "DOWN");
while (1) {
  my $count = sysread(S, $data, 65536);
  if (!defined $count) { print $!{ECONNRESET} ? "reset" : "error $!"; last }
  if ($count == 0) { print "a clean end"; last }
  $size += $count;
  if ($size > 5 << 20 && !$said++) { print "half\\n" }
}`;

for (const how of ["cut", "reset"] as const) {
  testWith("hosts")(
    `a download whose transport is ${how} half way ends with an error`,
    async () => {
      await openTunnel();
      const { environment } = ground;
      const reader = startProgram("perl", ["-e", READER, String(port)], { environment });
      await reader.waitFor(/half/);
      relay[how]();
      expect(await reader.ended).toMatchObject({ code: 0, stdout: "half\nreset" });
      await closeTunnel();
    },
  );
}

testWith("hosts")("an upload whose transport is cut half way ends with an error", async () => {
  await openTunnel();
  const { socket, all } = openClient("TAKE");
  const pour = (): void => {
    while (!socket.destroyed && socket.write(block));
  };
  socket.on("drain", pour);
  const before = relay.counters().bytesToServer;
  pour();
  await until("5 MB are sent", () => relay.counters().bytesToServer > before + 5 * MEBIBYTE);
  relay.cut();
  expect(await endOf(all)).toMatch(/ECONNRESET|EPIPE/);
  await closeTunnel();
});
