import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { joinStreams } from "../../src/reach/join-streams.ts";

const MIB = 1024 * 1024;
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Two ends of a real TCP connection, both half-open allowed; the first one paused. */
async function pair(): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const there = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const [here] = (await once(server, "connection")) as [Socket];
  await once(there, "ready");
  closers.push(() => {
    here.destroy();
    there.destroy();
    server.close();
  });
  return [here, there];
}

/** A local client, joined with a far server. */
async function join() {
  const [socket, client] = await pair();
  const [channel, server] = await pair();
  for (const one of [client, server]) one.on("error", () => undefined);
  joinStreams(socket, channel);
  channel.resume();
  return { client, server, socket, channel };
}

async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  await once(socket, "end");
  return Buffer.concat(chunks);
}
const pattern = (bytes: number): Buffer => Buffer.alloc(bytes, "0123456789abcdef-");

describe("joined streams", () => {
  test("the client ends first, and still gets the whole answer", async () => {
    const { client, server } = await join();
    const asked = readAll(server);
    const answered = readAll(client);
    client.end("question");
    expect(String(await asked)).toBe("question");
    server.end(pattern(3 * MIB));
    expect((await answered).equals(pattern(3 * MIB))).toBe(true);
  });

  test("the server ends first, and still gets the whole upload", async () => {
    const { client, server } = await join();
    const uploaded = readAll(server);
    const answered = readAll(client);
    server.end("enough");
    expect(String(await answered)).toBe("enough");
    client.end(pattern(3 * MIB));
    expect((await uploaded).equals(pattern(3 * MIB))).toBe(true);
  });

  test("both ways at once, nothing is lost or mixed up", async () => {
    const { client, server } = await join();
    const [up, down] = [readAll(server), readAll(client)];
    client.end(pattern(5 * MIB));
    server.end(Buffer.alloc(5 * MIB, "other"));
    expect((await up).equals(pattern(5 * MIB))).toBe(true);
    expect((await down).equals(Buffer.alloc(5 * MIB, "other"))).toBe(true);
  });

  test("when both have ended, all sockets are closed", async () => {
    const { client, server, socket, channel } = await join();
    client.resume().end();
    server.resume().end();
    await expect.poll(() => [socket.destroyed, channel.destroyed]).toEqual([true, true]);
  });
});

describe("a reader that stops", () => {
  test.each(["client", "server"] as const)(
    "the %s: memory stays bounded, then all arrives",
    async (reader) => {
      const { client, server, socket, channel } = await join();
      const [from, to] = reader === "client" ? [server, client] : [client, server];
      const bytes = 64 * MIB;
      to.pause();
      let peak = 0;
      let isDone = false;
      const chunk = pattern(256 * 1024);
      const send = async (): Promise<void> => {
        for (let sent = 0; sent < bytes; sent += chunk.length) {
          peak = Math.max(peak, socket.writableLength + channel.writableLength);
          if (!from.write(chunk)) await once(from, "drain");
        }
        from.end();
        isDone = true;
      };
      const sending = send();
      // The sender has filled what there is and waits: nothing moves any more.
      let before = -1;
      await expect
        .poll(
          () => {
            const still = from.bytesWritten === before;
            before = from.bytesWritten;
            return still && from.writableNeedDrain;
          },
          { interval: 100, timeout: 10_000 },
        )
        .toBe(true);
      expect(isDone).toBe(false);
      expect(socket.writableLength + channel.writableLength).toBeLessThan(2 * MIB);
      let got = 0;
      to.on("data", (part: Buffer) => void (got += part.length));
      const ended = once(to, "end");
      to.resume();
      await Promise.all([sending, ended]);
      expect(got).toBe(bytes);
      expect(peak).toBeLessThan(2 * MIB);
    },
  );

  test("gets everything after the channel has closed", async () => {
    const [socket, client] = await pair();
    const channel = new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, done) => done(),
    });
    joinStreams(socket, channel);
    client.pause();
    channel.push(pattern(8 * MIB));
    await expect.poll(() => socket.writableLength).toBeGreaterThan(0);
    const closed = once(channel, "close");
    channel.destroy();
    await closed;
    expect((await readAll(client)).equals(pattern(8 * MIB))).toBe(true);
  });
});

describe("an end that is no end", () => {
  const reset = async (socket: Socket): Promise<string> => {
    const [error] = (await once(socket.resume(), "error")) as [NodeJS.ErrnoException];
    return error.code ?? "";
  };

  test("a broken channel resets the client: a cut download must not look complete", async () => {
    const { client, server, channel } = await join();
    server.write("half of");
    await once(client, "data");
    let ended = false;
    client.on("end", () => void (ended = true));
    const failed = reset(client);
    channel.destroy(new Error("the transport was lost"));
    expect(await failed).toBe("ECONNRESET");
    expect(ended).toBe(false);
  });

  test("an error of the channel resets the client", async () => {
    const { client, channel } = await join();
    const failed = reset(client);
    channel.destroy(new Error("broken by the test"));
    expect(await failed).toBe("ECONNRESET");
  });

  test("a client that resets closes the channel", async () => {
    const { client, server, channel } = await join();
    client.resetAndDestroy();
    server.resume();
    await once(server, "end");
    expect(channel.destroyed).toBe(true);
  });

  test("a client that goes on sending into a closed channel is ended", async () => {
    const { client, channel, socket } = await join();
    client.resume();
    channel.destroy();
    await once(channel, "close");
    const timer = setInterval(() => client.writable && client.write("more"), 5);
    closers.push(() => clearInterval(timer));
    await expect.poll(() => [socket.destroyed, client.destroyed]).toEqual([true, true]);
  });

  /** Goes on sending; resolves with the error that this meets. */
  const pour = (client: Socket): Promise<string> => {
    const timer = setInterval(() => client.writable && client.write("more"), 5);
    closers.push(() => clearInterval(timer));
    return new Promise((resolve) => {
      client.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    });
  };
  const makeChannel = (): Duplex =>
    new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });

  // libuv resets no socket that is just saying its end: the client would wait for ever.
  test("a channel that fails right behind its end still resets the client", async () => {
    const [socket, client] = await pair();
    const channel = makeChannel();
    joinStreams(socket, channel);
    const failed = pour(client);
    client.resume();
    channel.once("end", () => channel.destroy(new Error("write EPIPE")));
    channel.push(null);
    expect(await failed).toMatch(/ECONNRESET|EPIPE/);
    await expect.poll(() => socket.destroyed).toBe(true);
  });

  test("a client that only sends, and reads nothing of what has come, is reset", async () => {
    const [socket, client] = await pair();
    const channel = makeChannel();
    joinStreams(socket, channel);
    client.pause();
    channel.push(pattern(16 * MIB));
    await expect.poll(() => socket.writableLength).toBeGreaterThan(0);
    const failed = pour(client);
    channel.destroy();
    expect(await failed).toMatch(/ECONNRESET|EPIPE/);
  });
});
