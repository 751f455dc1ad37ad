import { once } from "node:events";
import { connect as dial, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { lookUpAddress } from "../../src/inventory/look-up-address.ts";
import { mergeHosts } from "../../src/inventory/merge-hosts.ts";
import type { ReachOptions } from "../../src/reach/connect-host.ts";
import { forwardPort, type Forward } from "../../src/reach/forward-port.ts";
import { openService } from "../../src/reach/open-service.ts";
import type { Connection } from "../../src/ssh/connect.ts";
import { useLab } from "../support/lab.ts";
import { KINDS } from "../../src/services/registry.ts";

const lab = await useLab("kibana", "mysql");

let echo: Server;
let port: number;
let forwards: Forward[] = [];
let clients: Socket[] = [];
beforeEach(async () => {
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    socket.pipe(socket);
  });
  echo.listen(0, "127.0.0.1");
  await once(echo, "listening");
  port = (echo.address() as { port: number }).port;
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  for (const forward of forwards) await forward.close();
  [clients, forwards] = [[], []];
  await new Promise((done) => echo.close(done));
});

/** A connection that forwards over TCP, and refuses what is asked of port 1. */
const direct: Connection = {
  host: "web",
  address: "127.0.0.1",
  label: "web",
  forward: async (target) => {
    if (target.port === 1) throw new Error("administratively prohibited");
    const channel = dial({ ...target, allowHalfOpen: true });
    await once(channel, "ready");
    return channel;
  },
  execute: () => Promise.reject(new Error("not asked for")),
  openShell: () => Promise.reject(new Error("not asked for")),
  isOpen: () => true,
  closed: new Promise(() => undefined),
  close: () => Promise.resolve(),
};

const forward = async (
  connection: Promise<Connection>,
  trace: (line: string) => void = () => undefined,
  target = { host: "127.0.0.1", port },
): Promise<Forward> => {
  connection.catch(() => undefined);
  const made = await forwardPort(0, target, {
    connect: () => connection,
    report: (error) => {
      if (error instanceof Error) trace(error.message);
    },
  });
  forwards.push(made);
  return made;
};
const client = async (to: Forward): Promise<Socket> => {
  const socket = dial(to.port, "127.0.0.1");
  clients.push(socket);
  await once(socket, "connect");
  return socket;
};
const answerOf = async (socket: Socket): Promise<string> => String((await once(socket, "data"))[0]);

describe("a forwarded port", () => {
  test("serves many clients, each its own", async () => {
    const made = await forward(Promise.resolve(direct));
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const socket = await client(made);
        socket.write(`client ${index}`);
        return answerOf(socket);
      }),
    );
    expect(answers).toEqual(Array.from({ length: 50 }, (_, index) => `client ${index}`));
  });

  test("holds what comes before the connection does, and serves it then", async () => {
    let arrive: (connection: Connection) => void = () => undefined;
    const made = await forward(new Promise<Connection>((resolve) => (arrive = resolve)));
    const early = await Promise.all([client(made), client(made)]);
    early.forEach((socket, index) => socket.write(`early ${index}`));
    arrive(direct);
    expect(await Promise.all(early.map(answerOf))).toEqual(["early 0", "early 1"]);
  });

  test("holds 64 at most; one more is reset and told, the others are served", async () => {
    let arrive: (connection: Connection) => void = () => undefined;
    const told: string[] = [];
    const waiting = new Promise<Connection>((resolve) => (arrive = resolve));
    const made = await forward(waiting, (line) => told.push(line));
    const held: Socket[] = [];
    for (let index = 0; index < 64; index++) held.push(await client(made));
    const refused = dial(made.port, "127.0.0.1");
    clients.push(refused);
    const [error] = (await once(refused.resume(), "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNRESET");
    expect(told).toEqual(["64 connections are waiting already"]);
    arrive(direct);
    for (const socket of held) socket.write("x");
    expect(await Promise.all(held.map(answerOf))).toEqual(held.map(() => "x"));
    // There is room again.
    const later = await client(made);
    later.write("later");
    expect(await answerOf(later)).toBe("later");
  });

  test("resets one that has waited for 15 s, and no earlier", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const told: unknown[] = [];
    let accept: () => void = () => undefined;
    const accepted = new Promise<void>((resolve) => (accept = resolve));
    const made = await forwardPort(
      0,
      { host: "127.0.0.1", port },
      {
        connect: () => {
          accept();
          return new Promise(() => undefined);
        },
        report: (error) => told.push(error),
      },
    );
    forwards.push(made);
    const socket = await client(made);
    const failed = once(socket.resume(), "error");
    await accepted;
    vi.advanceTimersByTime(14_999);
    // A round trip through the machine: what was reset before has been told by then.
    const other = await client(made);
    expect(told).toEqual([]);
    expect(socket.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(((await failed) as [NodeJS.ErrnoException])[0].code).toBe("ECONNRESET");
    expect(told).toMatchObject([{ message: "a connection has waited for 15 s" }]);
    expect(other.destroyed).toBe(false);
  });

  test("resets those that wait when the connection cannot be made", async () => {
    let fail: (error: Error) => void = () => undefined;
    const told: string[] = [];
    const made = await forward(new Promise<Connection>((_, reject) => (fail = reject)), (line) =>
      told.push(line),
    );
    const socket = await client(made);
    const failed = once(socket.resume(), "error");
    fail(new Error("no route to web"));
    expect(((await failed) as [NodeJS.ErrnoException])[0].code).toBe("ECONNRESET");
    expect(told).toEqual(["no route to web"]);
  });

  test("that the host refuses harms no other", async () => {
    const told: string[] = [];
    const bad = await forward(Promise.resolve(direct), (line) => told.push(line), {
      host: "127.0.0.1",
      port: 1,
    });
    const good = await forward(Promise.resolve(direct));
    const well = await client(good);
    const refused = dial(bad.port, "127.0.0.1");
    clients.push(refused);
    await once(refused.resume(), "error");
    expect(told).toEqual(["administratively prohibited"]);
    well.write("still here");
    expect(await answerOf(well)).toBe("still here");
  });

  test("that is closed ends its sockets and frees its port", async () => {
    const made = await forward(Promise.resolve(direct));
    const socket = await client(made);
    socket.write("x");
    await answerOf(socket);
    const closed = once(socket, "close");
    await made.close();
    await closed;
    const [error] = (await once(dial(made.port, "127.0.0.1"), "error")) as [Error];
    expect(error.message).toContain("ECONNREFUSED");
  });
});

describe("a service of the lab", () => {
  const config = loadConfig(lab.configPath, KINDS);
  const open = (name: string) => {
    const service = config.services?.[name];
    if (!service || service.kind === "s3") throw new Error(`${name} is absent from the lab`);
    const { signal } = new AbortController();
    const reach: ReachOptions = {
      configPath: lab.configPath,
      hosts: mergeHosts(config.hosts, [], []),
      lookUp: (host) =>
        lookUpAddress(host, {
          scopes: [],
          checkAccount: () => Promise.resolve(),
          access: { environment: {}, signal },
        }),
      ...(config.ssh?.configFile !== undefined && { configFile: config.ssh.configFile }),
      environment: lab.environment,
      signal,
      note: () => undefined,
      trace: () => undefined,
    };
    return openService(name, service, config, {
      environment: lab.environment,
      signal,
      reach: () => Promise.resolve(reach),
      folders: { runtime: `${lab.folder}/no-tunnels` },
    });
  };

  test.skipIf(!lab.services.kibana)("is reached through its host, until it is closed", async () => {
    const reached = open("kibana");
    const { host, port } = await reached.endpoint();
    expect({ host, way: await reached.way() }).toEqual({
      host: "127.0.0.1",
      way: "through TextLogs",
    });
    const url = `http://127.0.0.1:${port}/`;
    expect((await fetch(url)).status).toBe(200);
    await reached.close();
    await expect(fetch(url)).rejects.toThrow("fetch failed");
  });

  test.skipIf(!lab.services.mysql)("without a host is reached directly", async () => {
    const reached = open("school");
    expect({ ...(await reached.endpoint()), way: await reached.way() }).toEqual({
      host: lab.services.mysql?.primary.address,
      port: lab.services.mysql?.primary.port,
      way: "directly",
    });
    await reached.close();
  });
});
