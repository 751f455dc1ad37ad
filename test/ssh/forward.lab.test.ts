import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, type Connection } from "../../src/ssh/connect.ts";
import { forward } from "../../src/ssh/forward.ts";
import { openLink } from "./open-link.ts";
import {
  collect,
  freePort,
  hopTo,
  makeGround,
  operatorError,
  sshdMissing,
  startRelay,
  startServer,
  startSshd,
  type TestGround,
  type TestSshd,
} from "./start-sshd.ts";
import { until } from "../support/until.ts";

describe.skipIf(sshdMissing)("forward", () => {
  let ground: TestGround;
  let sshd: TestSshd;
  let connection: Connection;
  const signal = new AbortController().signal;
  beforeAll(async () => {
    ground = await makeGround();
    sshd = await startSshd(ground, "sshd");
    connection = await connect([await hopTo(ground, sshd, "sshd")], { signal });
  });
  afterAll(async () => {
    await connection.close();
    await ground.stop();
  });
  const forwardTo = async (serve: (socket: Socket) => void, via = connection): Promise<Duplex> => {
    const { address, port } = await startServer(ground, serve);
    return via.forward({ host: address, port });
  };
  /** Reads to the end without destroying the stream, which stays open the other way. */
  const readText = async (stream: Duplex): Promise<string> => {
    let text = "";
    stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await once(stream, "end");
    return text;
  };
  /** A second connection, through a relay that can cut it. */
  const connectThroughRelay = async () => {
    const relay = await startRelay(ground, sshd);
    const known = join(ground.folder, `relay-${relay.port}`);
    await writeFile(
      known,
      sshd.knownHosts.join("\n").replace(/^\S+/, `[${relay.address}]:${relay.port}`),
    );
    const hop = await hopTo(ground, sshd, "sshd", { ...relay, knownHostsFiles: [known] });
    return { relay, cutable: await connect([hop], { signal }) };
  };

  test("8 MB both ways at once", async () => {
    const sent = randomBytes(8_000_000);
    const stream = await forwardTo((socket) => socket.pipe(socket));
    stream.end(sent);
    const back = await buffer(stream);
    expect(createHash("sha256").update(back).digest("hex")).toBe(
      createHash("sha256").update(sent).digest("hex"),
    );
  });

  test("an answer after our end, and our end after the answer", async () => {
    const late = await forwardTo((socket) => {
      let size = 0;
      socket.on("data", (chunk) => (size += chunk.length));
      socket.on("end", () => socket.end(`got ${size}`));
      socket.allowHalfOpen = true;
    });
    late.end(Buffer.alloc(3_000_000));
    expect(await readText(late)).toBe("got 3000000");

    let received = "";
    const early = await forwardTo((socket) => {
      socket.allowHalfOpen = true;
      socket.end("bye");
      socket.on("data", (chunk) => (received += chunk.toString()));
    });
    expect(await readText(early)).toBe("bye");
    early.end("still here");
    await until("the late bytes arrive", () => received === "still here");
  });

  test("many short ones leave nothing behind", async () => {
    const { address, port } = await startServer(ground, (socket) => socket.end("x"));
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        Array.from({ length: 10 }, async () => {
          const stream = await connection.forward({ host: address, port });
          stream.end();
          expect((await buffer(stream)).toString()).toBe("x");
        }),
      );
    }
  });

  test("the link is cut during a download: an error, never a clean end", async () => {
    const { relay, cutable } = await connectThroughRelay();
    const stream = await forwardTo((socket) => socket.write(Buffer.alloc(1_000_000)), cutable);
    let ended = false;
    stream.on("end", () => (ended = true));
    stream.resume();
    await wait(100);
    const failed = once(stream, "error") as Promise<[Error]>;
    relay.cut();
    const [error] = await failed;
    expect(error.message).toContain("the connection was lost");
    expect(ended).toBe(false);
    expect(cutable.isOpen()).toBe(false);
    expect((await cutable.closed)?.kind).toBe("unreachable");
  });

  test("the link is cut during an upload: an error, and no hang", async () => {
    const { relay, cutable } = await connectThroughRelay();
    const stream = await forwardTo((socket) => socket.pause(), cutable);
    const failed = once(stream, "error") as Promise<[Error]>;
    stream.write(Buffer.alloc(20_000_000));
    await wait(100);
    relay.cut();
    expect((await failed)[0].message).toContain("the connection was lost");
  });

  test("a server that ends its half and takes nothing more: the link is lost, and nothing crashes", async () => {
    let half = (): void => {};
    const at = await startServer(ground, (socket) => {
      const onward = createConnection(sshd.port, sshd.address);
      onward.on("error", () => {});
      socket.pipe(onward).pipe(socket);
      half = () => {
        onward.unpipe();
        socket.unpipe().pause();
        socket.end();
      };
    });
    const known = join(ground.folder, `half-${at.port}`);
    await writeFile(
      known,
      sshd.knownHosts.join("\n").replace(/^\S+/, `[${at.address}]:${at.port}`),
    );
    const link = await openLink(
      await hopTo(ground, sshd, "sshd", { ...at, knownHostsFiles: [known] }),
    );
    const sink = await startServer(ground, (socket) => socket.resume());
    const streams = await Promise.all(
      Array.from({ length: 10 }, () => forward(link, { host: sink.address, port: sink.port })),
    );
    const failed = Promise.all(
      streams.map((stream) => new Promise<Error>((resolve) => stream.once("error", resolve))),
    );
    half();
    // A window each, together more than what the kernel takes: the link's own end stays behind it.
    for (const stream of streams) stream.write(Buffer.alloc(4 * 1024 * 1024));
    await wait(100);
    expect(() => link.askForReply()).not.toThrow();
    for (const { message } of await failed) expect(message).toContain("the connection was lost");
    expect(await link.ended).toMatchObject({ kind: "unreachable" });
    await link.close();
  });

  test("noise on the link: one reason, and nothing is left open", async () => {
    const { relay, cutable } = await connectThroughRelay();
    relay.garble();
    const lost = await cutable.closed;
    expect(lost?.kind).toBe("unreachable");
    expect(lost?.message).toMatch(/the connection was lost after \d s: Bad packet length/);
    await expect(cutable.forward({ host: "127.0.0.1", port: 22 })).rejects.toBe(lost);
  });

  test("close also ends what runs on it with an error", async () => {
    const other = await connect([await hopTo(ground, sshd, "sshd")], { signal });
    const stream = await forwardTo((socket) => socket.write("half"), other);
    const failed = once(stream, "error") as Promise<[Error]>;
    stream.resume();
    await other.close();
    expect((await failed)[0].message).toContain("the connection was closed");
    await expect(other.execute("true", { stdout: collect(), stderr: collect() })).rejects.toThrow(
      "was closed",
    );
  });

  test("abort ends it with the reason", async () => {
    const controller = new AbortController();
    const other = await connect([await hopTo(ground, sshd, "sshd")], { signal: controller.signal });
    const running = other.execute("sleep 60", { stdout: collect(), stderr: collect() });
    controller.abort(new Error("Ctrl-C"));
    await expect(running).rejects.toThrow("Ctrl-C");
    expect(await other.closed).toBeUndefined();
  });

  test("the remote resets during an upload: EPIPE", async () => {
    const stream = await forwardTo((socket) =>
      setTimeout(() => socket.resetAndDestroy(), 50).unref(),
    );
    const failed = once(stream, "error") as Promise<[Error]>;
    stream.resume();
    stream.write(Buffer.alloc(20_000_000));
    expect((await failed)[0]).toMatchObject({ code: "EPIPE" });
  });

  test("the local end resets during a download: the remote sees it", async () => {
    let gone = false;
    const stream = await forwardTo((socket) => {
      socket.write(Buffer.alloc(10_000_000));
      socket.on("close", () => (gone = true));
    });
    await once(stream, "data");
    stream.destroy();
    await until("the remote end is gone", () => gone);
  });

  test("a closed port: an error of that forward alone", async () => {
    const port = await freePort("127.0.0.82");
    const error = await operatorError(connection.forward({ host: "127.0.0.82", port }));
    expect(error.kind).toBe("unreachable");
    expect(error.message).toContain(
      `SSH is fine, but 127.0.0.82:${port} cannot be reached from there: Connection refused`,
    );
    expect(connection.isOpen()).toBe(true);
  });

  test("forwarding forbidden", async () => {
    const strict = await startSshd(ground, "strict", { settings: ["AllowTcpForwarding no"] });
    const other = await connect([await hopTo(ground, strict, "strict")], { signal });
    const error = await operatorError(other.forward({ host: "127.0.0.1", port: 22 }));
    expect(error.kind).toBe("access");
    expect(error.next).toContain("AllowTcpForwarding");
    await other.close();
  });

  test("never answered: its own limit; the late channel is closed", async () => {
    const { relay, cutable } = await connectThroughRelay();
    relay.stall();
    const error = await operatorError(
      cutable.forward({ host: "127.0.0.1", port: 22 }, { timeoutMs: 200 }),
    );
    expect(error.message).toContain("no answer within 0.2 s");
    const started = performance.now();
    await cutable.close();
    expect(performance.now() - started).toBeLessThan(1500);
  });
});
