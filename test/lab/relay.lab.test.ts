import { once } from "node:events";
import net from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { startRelay } from "./relay.ts";
import type { Relay, RelaySettings } from "./relay.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type Pair = { relay: Relay; client: net.Socket; server: net.Socket };

async function connectThrough(settings: RelaySettings = {}): Promise<Pair> {
  const listener = net.createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  closers.push(() => listener.close());
  const relay = await startRelay({
    host: "127.0.0.1",
    port: (listener.address() as net.AddressInfo).port,
    ...settings,
  });
  closers.push(() => relay.close());
  const accepted = once(listener, "connection") as Promise<[net.Socket]>;
  const client = net.connect({ host: relay.address, port: relay.port, allowHalfOpen: true });
  const [server] = await accepted;
  closers.push(() => [client, server].forEach((socket) => socket.destroy()));
  return { relay, client, server };
}

function receive(socket: net.Socket, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    socket.on("error", reject);
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= length) resolve(Buffer.concat(chunks));
    });
  });
}

test("passes bytes both ways, in order, and counts them", async () => {
  const { relay, client, server } = await connectThrough();
  const sent = Buffer.from(Array.from({ length: 300_000 }, (_unused, index) => index % 251));
  const got = receive(server, sent.length);
  client.write(sent);
  expect((await got).equals(sent)).toBe(true);
  server.write("answer");
  expect((await receive(client, 6)).toString()).toBe("answer");
  expect(relay.counters()).toEqual({
    connections: 1,
    open: 1,
    mostOpen: 1,
    bytesToServer: 300_000,
    bytesToClient: 6,
    bytesHeld: 0,
  });
});

test("delays a round trip by what it is told, also when that changes, and keeps the order", async () => {
  const { relay, client, server } = await connectThrough({ delayMs: 120 });
  server.on("data", (chunk) => server.write(chunk));
  const roundTrip = async (text: string) => {
    const begin = performance.now();
    client.write(text);
    expect((await receive(client, text.length)).toString()).toBe(text);
    client.removeAllListeners("data");
    return performance.now() - begin;
  };
  const slow = await roundTrip("one");
  expect(slow).toBeGreaterThanOrEqual(118);
  expect(slow).toBeLessThan(400);
  relay.set({ delayMs: 0 });
  expect(await roundTrip("two")).toBeLessThan(100);
});

test("a long road does not narrow: many bytes are under way at once", async () => {
  const { client, server } = await connectThrough({ delayMs: 100 });
  const got = receive(server, 8_000_000);
  const begin = performance.now();
  client.write(Buffer.alloc(8_000_000));
  await got;
  expect(performance.now() - begin).toBeLessThan(1_500);
});

test("throttles to the rate it is told", async () => {
  const { client, server } = await connectThrough({ bytesPerSecond: 1_000_000 });
  const got = receive(server, 500_000);
  const begin = performance.now();
  client.write(Buffer.alloc(500_000));
  await got;
  const seconds = (performance.now() - begin) / 1_000;
  expect(seconds).toBeGreaterThan(0.45);
  expect(seconds).toBeLessThan(1);
});

test("holds no more than a window when the reader does not read", async () => {
  const { relay, client, server } = await connectThrough();
  server.pause();
  client.write(Buffer.alloc(100 * 1024 * 1024));
  await expect.poll(() => relay.counters().bytesHeld).toBeGreaterThan(15 * 1024 * 1024);
  await wait(200);
  expect(relay.counters().bytesHeld).toBeLessThanOrEqual(17 * 1024 * 1024);
  const got = receive(server, 100 * 1024 * 1024);
  server.resume();
  expect((await got).length).toBe(100 * 1024 * 1024);
});

test("stalled, nothing passes and nothing closes; resumed, nothing is lost", async () => {
  const { relay, client, server } = await connectThrough();
  relay.stall();
  let seen = 0;
  server.on("data", (chunk) => {
    seen += chunk.length;
  });
  const all = receive(server, 5);
  client.write("hello");
  await wait(150);
  expect(seen).toBe(0);
  expect(client.destroyed).toBe(false);
  relay.resume();
  expect((await all).toString()).toBe("hello");
});

test("cut, both sides end and a new connection still works", async () => {
  const { relay, client, server } = await connectThrough();
  client.write("x");
  await once(server, "data");
  const ended = Promise.all([once(client.resume(), "end"), once(server.resume(), "end")]);
  relay.cut();
  await ended;
  const again = net.connect(relay.port, relay.address);
  closers.push(() => again.destroy());
  await once(again, "connect");
});

test("reset, both sides see a reset", async () => {
  const { relay, client, server } = await connectThrough();
  const errors = Promise.all([once(client, "error"), once(server, "error")]) as Promise<
    [[NodeJS.ErrnoException], [NodeJS.ErrnoException]]
  >;
  relay.reset();
  const [[first], [second]] = await errors;
  expect([first.code, second.code]).toEqual(["ECONNRESET", "ECONNRESET"]);
});

test("half-closed towards one side, the other direction goes on", async () => {
  const { relay, client, server } = await connectThrough();
  const ended = once(client.resume(), "end");
  relay.halfClose("client");
  await ended;
  const got = receive(server, 5);
  client.write("still");
  expect((await got).toString()).toBe("still");
});

test("an end that one side makes arrives behind its delayed data, and the answer still comes back", async () => {
  const { relay, client, server } = await connectThrough({ delayMs: 100 });
  const got = receive(server, 7);
  const serverEnded = once(server, "end");
  client.end("request");
  expect((await got).toString()).toBe("request");
  await serverEnded;
  server.end("response");
  const clientEnded = once(client, "end");
  expect((await receive(client, 8)).toString()).toBe("response");
  await clientEnded;
  await expect.poll(() => relay.counters().open).toBe(0);
});

test("refuses new connections while told to", async () => {
  const { relay } = await connectThrough();
  relay.refuse(true);
  const refused = net.connect(relay.port, relay.address);
  await expect(once(refused.resume(), "end")).rejects.toMatchObject({ code: "ECONNRESET" });
  relay.refuse(false);
  const welcome = net.connect(relay.port, relay.address);
  closers.push(() => welcome.destroy());
  await once(welcome, "connect");
});

test("a server that does not listen is told by a reset", async () => {
  const listener = net.createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as net.AddressInfo;
  await new Promise((resolve) => listener.close(resolve));
  const relay = await startRelay({ host: "127.0.0.1", port });
  closers.push(() => relay.close());
  const client = net.connect(relay.port, relay.address);
  await expect(once(client.resume(), "end")).rejects.toMatchObject({ code: "ECONNRESET" });
});
