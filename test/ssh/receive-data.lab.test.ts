import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { execute } from "../../src/ssh/execute.ts";
import { forward } from "../../src/ssh/forward.ts";
import { holdBytes } from "../../src/ssh/hold-bytes.ts";
import { hasKnownWindow } from "../../src/ssh/library-window.ts";
import type { Link } from "../../src/ssh/link.ts";
import { openChannel } from "../../src/ssh/open-channel.ts";
import { budgetBytes, usualWindowBytes, type WindowShare } from "../../src/ssh/window-budget.ts";
import { startRelay, type Relay } from "../lab/relay.ts";
import { openLink } from "./open-link.ts";
import {
  collect,
  hopTo,
  makeGround,
  operatorError,
  sshdMissing,
  startServer,
  startSshd,
  type TestGround,
  type TestSshd,
} from "./start-sshd.ts";
import { until } from "../support/until.ts";

const MIB = 1024 * 1024;
const block = Buffer.alloc(MIB, "0123456789abcdef-");

/** Sends that many MiB, and ends. */
const pour =
  (mebibytes: number) =>
  (socket: Socket): void => {
    let left = mebibytes;
    const send = (): void => {
      while (left-- > 0) if (!socket.write(block)) return;
      socket.end();
    };
    socket.on("drain", send);
    send();
  };
const hashOf = (mebibytes: number): string => {
  const hash = createHash("sha256");
  for (let index = 0; index < mebibytes; index++) hash.update(block);
  return hash.digest("hex");
};
/** Reads to the end and returns the hash of it all. */
async function readHash(stream: Duplex): Promise<string> {
  const hash = createHash("sha256");
  stream.on("data", (chunk: Buffer) => hash.update(chunk));
  const ended = once(stream, "end");
  stream.resume();
  await ended;
  stream.end();
  return hash.digest("hex");
}

describe.skipIf(sshdMissing)("what arrives on a forward", () => {
  let ground: TestGround;
  let sshd: TestSshd;
  let rekeying: TestSshd;
  const links: Link[] = [];
  const relays: Relay[] = [];
  beforeAll(async () => {
    ground = await makeGround();
    sshd = await startSshd(ground, "sshd");
    rekeying = await startSshd(ground, "rekeying", { settings: ["RekeyLimit 4M"] });
  });
  afterAll(async () => {
    for (const link of links) await link.close();
    for (const relay of relays) await relay.close();
    await ground.stop();
  });
  const makeLink = async (to = sshd): Promise<Link> => {
    const link = await openLink(await hopTo(ground, to, "host"));
    links.push(link);
    return link;
  };
  /** A link over a way so long. */
  const makeFarLink = async (delayMs: number): Promise<{ link: Link; relay: Relay }> => {
    const relay = await startRelay({ host: sshd.address, port: sshd.port, delayMs });
    relays.push(relay);
    const knownHosts = sshd.knownHosts.map((line) =>
      line.replace(/^\S+/, `[${relay.address}]:${relay.port}`),
    );
    return { link: await makeLink({ ...sshd, ...relay, knownHosts } as TestSshd), relay };
  };
  const forwardTo = async (serve: (socket: Socket) => void, link: Link): Promise<Duplex> => {
    const { address, port } = await startServer(ground, serve);
    const stream = await forward(link, { host: address, port });
    stream.on("error", () => undefined);
    return stream;
  };
  /** The most that is granted while `act` runs. */
  const peakOf = async (link: Link, act: () => Promise<void>): Promise<number> => {
    let peak = 0;
    const timer = setInterval(() => (peak = Math.max(peak, link.windows.grantedBytes())), 1);
    await act().finally(() => clearInterval(timer));
    return peak;
  };

  describe("the window", () => {
    test("is where we look for it in this ssh2, and what it counts is what the server counts", async () => {
      const talkative = await startSshd(ground, "talkative", { settings: ["LogLevel DEBUG2"] });
      const link = await makeLink(talkative);
      const others: WindowShare[] = [];
      // Enough for our first window to be another than ssh2's.
      for (let index = 0; index < 30; index++) {
        const share = await link.windows.join(0);
        if (share) others.push(share);
      }
      let windowBytes = (): number => Number.NaN;
      const client = new Proxy(link.client, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name);
          if (name !== "forwardOut") return value;
          return (...words: Parameters<typeof target.forwardOut>) => {
            const [from, fromPort, to, toPort, done] = words;
            return target.forwardOut(from, fromPort, to, toPort, (error, channel) => {
              expect(hasKnownWindow(channel)).toBe(true);
              if (hasKnownWindow(channel)) windowBytes = () => channel.incoming.window;
              done?.(error, channel);
            });
          };
        },
      });
      expect(await readHash(await forwardTo(pour(20), { ...link, client }))).toBe(hashOf(20));
      const log = await talkative.log();
      const first = Number(/ctype direct-tcpip rchan \d+ win (\d+)/.exec(log)?.[1]);
      expect(first).toBeLessThan(usualWindowBytes);
      expect(first).toBeGreaterThan(128 * 1024);
      const added = [...log.matchAll(/rcvd adjust (\d+)/g)].map(([, bytes]) => Number(bytes));
      expect(windowBytes()).toBe(added.reduce((sum, bytes) => sum + bytes, first) - 20 * MIB);
      for (const share of others) share.leave();
      await until("all is given back", () => link.windows.grantedBytes() === 0);
    });

    test("grows over a long way, to no more than 16 MiB", async () => {
      const { link } = await makeFarLink(60);
      const stream = await forwardTo(pour(60), link);
      const peak = await peakOf(link, async () => {
        expect(await readHash(stream)).toBe(hashOf(60));
      });
      expect(link.windows.roundTripMs()).toBeGreaterThan(59);
      expect(peak).toBeGreaterThan(6 * MIB);
      expect(peak).toBeLessThan(16.2 * MIB);
    });

    test("does not grow on a connection that carries a shell", async () => {
      const { link } = await makeFarLink(60);
      const terminal = { term: "xterm", columns: 80, rows: 24 };
      const ends = { stdout: collect(), stderr: collect(), terminal };
      const shell = execute(link, "sleep 60", ends);
      shell.catch(() => undefined);
      await until("it is there", () => link.windows.largestBytes() === usualWindowBytes);
      const stream = await forwardTo(pour(20), link);
      const peak = await peakOf(link, async () => {
        expect(await readHash(stream)).toBe(hashOf(20));
      });
      expect(peak).toBeLessThanOrEqual(usualWindowBytes);
      await link.close();
      await expect(shell).rejects.toThrow("was closed");
    });

    test("of channels at once: all get theirs, within the budget", async () => {
      const link = await makeLink();
      const { address, port } = await startServer(ground, pour(1));
      const peak = await peakOf(link, async () => {
        const hashes = await Promise.all(
          Array.from({ length: 300 }, async () =>
            readHash(await forward(link, { host: address, port })),
          ),
        );
        expect([...new Set(hashes)]).toEqual([hashOf(1)]);
      });
      expect(peak).toBeLessThanOrEqual(budgetBytes);
      expect(link.windows.grantedBytes()).toBe(0);
    });

    test("stays ssh2's where its protocol object is hidden, and all is right", async () => {
      const link = await makeLink();
      const hidden: Link = { ...link, client: hide(link.client, "_protocol") };
      expect(await readHash(await forwardTo(pour(10), hidden))).toBe(hashOf(10));
      const echo = await forwardTo((socket) => socket.pipe(socket), hidden);
      echo.write("there and back");
      expect(String((await once(echo, "data"))[0])).toBe("there and back");
      echo.destroy();
      // It is not kept in mind: who asks the next time may get it.
      expect(link.windows.isOurs()).toBe(true);
    });

    test("stays ssh2's where its channels hide it: asked for once more, and all is right", async () => {
      const link = await makeLink();
      let asked = 0;
      const client = new Proxy(link.client, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name);
          if (name !== "forwardOut") return value;
          return (...words: Parameters<typeof target.forwardOut>) => {
            asked++;
            const [from, fromPort, to, toPort, done] = words;
            return target.forwardOut(from, fromPort, to, toPort, (error, channel) =>
              done?.(error, channel && hide(channel, "incoming")),
            );
          };
        },
      });
      const odd: Link = { ...link, client };
      expect(await readHash(await forwardTo(pour(10), odd))).toBe(hashOf(10));
      expect(await readHash(await forwardTo(pour(10), odd))).toBe(hashOf(10));
      expect(asked).toBe(3);
      expect(link.windows.isOurs()).toBe(false);
    });
  });

  describe("readers that do not read", () => {
    test("20 of them hold no more than the budget, others go on, and all arrives when they read", async () => {
      const link = await makeLink();
      const stalled: Duplex[] = [];
      const senders: Socket[] = [];
      for (let index = 0; index < 20; index++) {
        const serve = (socket: Socket): void => {
          senders.push(socket);
          pour(12)(socket);
        };
        stalled.push(await forwardTo(serve, link));
      }
      let still = 0;
      await until("nothing is taken any more", async () => {
        const before = still;
        still = senders.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0);
        await wait(100);
        return before === still && still > 0;
      });
      expect(link.windows.grantedBytes()).toBeLessThanOrEqual(budgetBytes);
      const peak = await peakOf(link, async () => {
        expect(await readHash(await forwardTo(pour(50), link))).toBe(hashOf(50));
      });
      expect(peak).toBeLessThanOrEqual(budgetBytes);
      const hashes = await Promise.all(stalled.map(readHash));
      expect([...new Set(hashes)]).toEqual([hashOf(12)]);
      await until("all is given back", () => link.windows.grantedBytes() === 0);
    });

    // What is held while more comes: ssh2 decrypts some ciphers within the chunk that was read.
    test.each(["aes128-gcm@openssh.com", "aes256-ctr", "chacha20-poly1305@openssh.com"])(
      "a slow one gets all, as does the fast one beside it (%s)",
      async (cipher) => {
        const name = `only-${cipher.split("@")[0]}`;
        const link = await makeLink(
          await startSshd(ground, name, { settings: [`Ciphers ${cipher}`] }),
        );
        const slow = await forwardTo(pour(8), link);
        const fast = await forwardTo(pour(50), link);
        let done = false;
        const reading = readHash(fast).finally(() => (done = true));
        const hash = createHash("sha256");
        let bytes = 0;
        for await (const chunk of slow as AsyncIterable<Buffer>) {
          hash.update(chunk);
          bytes += chunk.length;
          // As slow as it takes for the other to be through.
          if (!done && bytes > 4 * MIB) await reading;
        }
        expect(await reading).toBe(hashOf(50));
        expect(hash.digest("hex")).toBe(hashOf(8));
      },
    );
  });

  describe("a server that renews its keys every 4 MiB", () => {
    test("under traffic both ways, while channels open, and while a window is zero", async () => {
      const link = await makeLink(rekeying);
      let renewals = 0;
      link.client.on("handshake", () => renewals++);
      const stalled = await forwardTo(pour(20), link);
      const echo = await forwardTo((socket) => socket.pipe(socket), link);
      const sending = (async () => {
        for (let sent = 0; sent < 20; sent++) if (!echo.write(block)) await once(echo, "drain");
        echo.end();
      })();
      const traffic = Promise.all([sending, readHash(echo)]);
      let open = true;
      const opening = (async () => {
        let opened = 0;
        for (; open; opened++) {
          const stream = await forwardTo((socket) => socket.end("x"), link);
          expect(String((await once(stream, "data"))[0])).toBe("x");
          stream.destroy();
        }
        return opened;
      })();
      const [, hash] = await traffic;
      open = false;
      expect(hash).toBe(hashOf(20));
      expect(await opening).toBeGreaterThan(5);
      expect(await readHash(stalled)).toBe(hashOf(20));
      expect(renewals).toBeGreaterThan(5);
    });
  });

  describe("what is answered too late is closed, not leaked", () => {
    test("a forward", async () => {
      const { link, relay } = await makeFarLink(0);
      const sockets: Socket[] = [];
      const { address, port } = await startServer(ground, (socket) => sockets.push(socket));
      relay.stall();
      const late = forward(link, { host: address, port }, { timeoutMs: 100 });
      expect((await operatorError(late)).message).toContain("no answer within 0.1 s");
      expect(link.windows.grantedBytes()).toBe(0);
      relay.resume();
      await until("it was opened", () => sockets.length === 1);
      await until(
        "and closed",
        () => sockets[0]?.readableEnded === true || sockets[0]?.destroyed === true,
      );
      expect(await readHash(await forwardTo(pour(1), link))).toBe(hashOf(1));
    });

    test("a command", async () => {
      const { link, relay } = await makeFarLink(0);
      relay.stall();
      const marker = `${ground.folder}/late`;
      const late = openChannel(
        link,
        undefined,
        { timeoutMs: 100 },
        (done) => link.client.exec(`echo started > ${marker}; cat; echo ended > ${marker}`, done),
        () => "too early",
      );
      expect((await operatorError(late)).message).toContain(
        "no answer within 0.1 s to opening a session",
      );
      relay.resume();
      const said = collect();
      await until("it was started, and its input closed", async () => {
        const look = { stdout: said, stderr: collect() };
        await execute(link, `cat ${marker}`, look);
        return said.text().includes("ended");
      });
    });
  });

  test("an upload to a remote that has closed fails, though its sender reads nothing", async () => {
    const link = await makeLink();
    const stream = await forwardTo((socket) => {
      socket.write(block.subarray(0, MIB / 2));
      setTimeout(() => socket.destroy(), 100).unref();
    }, link);
    const failed = once(stream, "error") as Promise<[Error]>;
    // Nobody reads what was sent to us.
    stream.write(Buffer.alloc(20 * MIB));
    expect((await failed)[0]).toMatchObject({ code: "EPIPE" });
  });
});

test("held bytes come out in order, however small or large they went in", () => {
  const held = holdBytes();
  const put: Buffer[] = [];
  const got: Buffer[] = [];
  for (let round = 0; round < 300; round++) {
    const chunk = Buffer.alloc((round * 7919) % 150_000, round);
    put.push(chunk);
    held.add(chunk);
    if (round % 3 > 0) continue;
    const taken = held.take();
    if (taken) got.push(taken);
  }
  for (let taken = held.take(); taken; taken = held.take()) got.push(taken);
  expect(Buffer.concat(got).equals(Buffer.concat(put))).toBe(true);
  expect(held.sizeBytes()).toBe(0);
  held.add(Buffer.from("x"));
  held.clear();
  expect(held.take()).toBeUndefined();
});

/** The same object without that member, as another version of ssh2 might be. */
function hide<T extends object>(object: T, member: string): T {
  return new Proxy(object, {
    get: (target, name) => {
      if (name === member) return undefined;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
