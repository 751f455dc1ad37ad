import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { listenOnLoopback, type LoopbackListener } from "../../src/reach/listen-on-loopback.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const listen = async (
  port: number,
  accept: (socket: Socket) => void = (socket) => void socket.destroy(),
): Promise<LoopbackListener> => {
  const listener = await listenOnLoopback(port, accept);
  open.push(listener);
  return listener;
};

/** Another program's listener, for all that lcops knows. */
const occupy = async (port: number, host: string): Promise<number> => {
  const server = createServer();
  server.listen({ port, host, exclusive: true });
  await once(server, "listening");
  open.push({ close: async () => void (await new Promise((done) => server.close(done))) });
  return (server.address() as { port: number }).port;
};
const hasIpv6 = await occupy(0, "::1").then(
  () => true,
  () => false,
);

describe("a listener on the loopback addresses", () => {
  test("accepts on 127.0.0.1 and, where there is one, on ::1", async () => {
    const accepted: (string | undefined)[] = [];
    const { port } = await listen(0, (socket) => {
      accepted.push(socket.localAddress);
      socket.destroy();
    });
    const addresses = hasIpv6 ? ["127.0.0.1", "::1"] : ["127.0.0.1"];
    for (const host of addresses) await once(connect(port, host).resume(), "close");
    expect(accepted).toEqual(addresses);
  });

  test("hands sockets over paused: what was sent early is not lost", async () => {
    let socket: Socket | undefined;
    const { port } = await listen(0, (accepted) => void (socket = accepted));
    const client = connect(port, "127.0.0.1");
    client.end("early");
    await expect.poll(() => socket?.isPaused()).toBe(true);
    const chunks: Buffer[] = [];
    socket?.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket?.resume();
    if (socket) await once(socket, "end");
    expect(Buffer.concat(chunks).toString()).toBe("early");
    // Half-open: the client has ended, the answer still goes out.
    socket?.end("answer");
    expect(String(await once(client, "data"))).toBe("answer");
  });

  test.skipIf(!hasIpv6)("accepts on neither address while it is being closed", async () => {
    const sockets: Socket[] = [];
    const listener = await listenOnLoopback(0, (socket) => void sockets.push(socket));
    const client = connect(listener.port, "127.0.0.1");
    await expect.poll(() => sockets.length).toBe(1);
    const closed = listener.close();
    const [error] = (await once(connect(listener.port, "::1"), "error")) as [Error];
    expect(error.message).toContain("ECONNREFUSED");
    client.destroy();
    for (const socket of sockets) socket.destroy();
    await closed;
  });

  test("does not accept once it is closed, and the port is free again", async () => {
    const listener = await listenOnLoopback(0, (socket) => void socket.destroy());
    await listener.close();
    const [error] = (await once(connect(listener.port, "127.0.0.1"), "error")) as [Error];
    expect(error.message).toContain("ECONNREFUSED");
    expect((await listen(listener.port)).port).toBe(listener.port);
  });
});

describe("a port that is taken", () => {
  const busy = (port: number) => ({
    kind: "refused",
    message: expect.stringMatching(
      new RegExp(`^port ${port} is held by .+ \\(pid ${process.pid}\\)$`),
    ) as string,
    next: expect.stringContaining("localPort") as string,
  });

  test("on 127.0.0.1 is refused with its holder", async () => {
    const port = await occupy(0, "127.0.0.1");
    await expect(listen(port)).rejects.toMatchObject(busy(port));
  });

  test("on every address is refused", async () => {
    const port = await occupy(0, "0.0.0.0");
    await expect(listen(port)).rejects.toMatchObject(busy(port));
  });

  test.skipIf(!hasIpv6)("on ::1 only is refused too, and 127.0.0.1 let go", async () => {
    const port = await occupy(0, "::1");
    await expect(listen(port)).rejects.toMatchObject(busy(port));
    expect(await occupy(port, "127.0.0.1")).toBe(port);
  });

  test("of two that want one port at once, exactly one gets it", async () => {
    const port = await occupy(0, "127.0.0.1");
    for (const one of open.splice(0)) await one.close();
    const results = await Promise.allSettled([listen(port), listen(port)]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const lost = results.find((result) => result.status === "rejected");
    expect(lost?.reason).toMatchObject(busy(port));
  });
});
