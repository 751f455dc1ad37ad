import { once as nextEvent } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect as dial } from "node:net";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { RedisConfig } from "../../src/services/redis/settings.ts";
import type { Config, ServiceConfig } from "../support/known-config.ts";
import type { Connection, ReachOptions } from "../../src/reach/connect-host.ts";
import {
  describeObstacle,
  describeTarget,
  lend,
  openService,
  type ServiceWays,
  withServices,
} from "../../src/reach/open-service.ts";
import { recordPort } from "../../src/reach/port-record.ts";
import { OperatorError } from "../../src/system/errors.ts";

const redis = (more: Partial<RedisConfig>): RedisConfig => ({ kind: "redis", port: 6379, ...more });
const CONFIG: Config = {
  environments: { dev: { production: false }, prod: {} },
  hosts: { api: { environment: "prod" } },
};
const FAR = redis({ host: "api", environment: "dev", address: "10.0.0.5" });

/** The ways of a run whose host refuses every forward, and what was done of them. */
function makeWays(more: Partial<ServiceWays> = {}): { ways: ServiceWays; done: string[] } {
  const done: string[] = [];
  const { signal } = new AbortController();
  const reach: ReachOptions = {
    configPath: "/lcops.config.json",
    hosts: [],
    environment: {},
    signal,
    lookUp: () => Promise.reject(new Error("nothing is looked up")),
    note: () => undefined,
    trace: () => undefined,
  };
  const connection: Connection = {
    host: "api",
    address: "10.0.0.1",
    label: "api",
    forward: ({ host, port }) =>
      Promise.reject(new OperatorError("refused", `no way to ${host}:${port}`)),
    execute: () => Promise.reject(new Error("nothing is run")),
    openShell: () => Promise.reject(new Error("no shell")),
    isOpen: () => true,
    closed: new Promise(() => undefined),
    close: () => Promise.resolve(void done.push("closed api")),
  };
  const ways: ServiceWays = {
    environment: {},
    signal,
    terminal: { trace: (line) => done.push(line) },
    reach: () => Promise.resolve(reach),
    connect: (host) => {
      done.push(`connected ${host}`);
      return Promise.resolve(connection);
    },
    ...more,
  };
  return { ways, done };
}

/** Connects to a port, and returns what ended the socket. */
async function failToUse(port: number): Promise<string> {
  const socket = dial(port, "127.0.0.1").resume();
  const [error] = (await nextEvent(socket, "error")) as [NodeJS.ErrnoException];
  return error.code ?? "";
}

describe("a service", () => {
  test("opens nothing before it is asked for it", async () => {
    const { ways, done } = makeWays();
    const open = openService("cache", FAR, CONFIG, ways, "3");
    expect(open).toMatchObject({ name: "cache", config: FAR, within: "3" });
    expect([open.tls(), open.obstacle()]).toEqual([undefined, undefined]);
    await open.close();
    expect(done).toEqual([]);
  });

  test("opens each way once, and its host and endpoint over one connection", async () => {
    const { ways, done } = makeWays();
    const open = openService("cache", FAR, CONFIG, ways);
    onTestFinished(open.close);
    const [one, other, host] = await Promise.all([open.endpoint(), open.endpoint(), open.host()]);
    expect(one).toEqual(other);
    expect(one.host).toBe("127.0.0.1");
    expect(host?.host).toBe("api");
    expect(await open.way()).toBe("through api");
    expect(done).toEqual(["connected api"]);
  });

  test("closes what it opened, the last first, and once", async () => {
    let isListening: Promise<string> | undefined;
    const { ways, done } = makeWays();
    const open = openService("cache", FAR, CONFIG, {
      ...ways,
      connect: async (host) => {
        const connection = await makeWays().ways.connect?.(host);
        if (!connection) throw new Error("it is there");
        const close = async (): Promise<void> => {
          isListening = failToUse(port);
          await isListening;
          done.push("closed api");
        };
        return { ...connection, close };
      },
    });
    const { port } = await open.endpoint();
    await Promise.all([open.close(), open.close()]);
    await open.close();
    // The forward was gone when its connection was closed.
    expect(await isListening).toBe("ECONNREFUSED");
    expect(done).toEqual(["closed api"]);
  });

  test("that is closed while a way is opened closes that too", async () => {
    let connected = (): void => undefined;
    const isWanted = new Promise<void>((resolve) => (connected = resolve));
    const { ways, done } = makeWays();
    const open = openService("cache", FAR, CONFIG, {
      ...ways,
      connect: async (host) => {
        await isWanted;
        return (ways.connect as NonNullable<ServiceWays["connect"]>)(host);
      },
    });
    const host = open.host();
    await open.close();
    connected();
    await host;
    expect(done).toEqual(["connected api", "closed api"]);
  });

  test("leaves a connection that was lent to it open", async () => {
    const { ways, done } = makeWays();
    const connect: ServiceWays["connect"] = async (host) =>
      lend(await (ways.connect as NonNullable<ServiceWays["connect"]>)(host));
    const open = openService("cache", FAR, CONFIG, { ...ways, connect });
    await open.endpoint();
    await open.close();
    expect(done).toEqual(["connected api"]);
  });

  test("without a host is reached directly, at its address or on this machine", async () => {
    const { ways, done } = makeWays();
    const there = openService("cache", redis({ address: "cache.example" }), CONFIG, ways);
    expect([await there.endpoint(), await there.way(), await there.host()]).toEqual([
      { host: "cache.example", port: 6379 },
      "directly",
      undefined,
    ]);
    const here = openService("cache", redis({}), CONFIG, ways);
    expect(await here.endpoint()).toEqual({ host: "127.0.0.1", port: 6379 });
    expect(done).toEqual([]);
  });

  test("is reached over its open tunnel, where those may be used", async () => {
    const runtime = mkdtempSync(path.join(tmpdir(), "lcops-open-service-"));
    onTestFinished(() => rmSync(runtime, { recursive: true, force: true }));
    const { ways, done } = makeWays();
    const holder = openService("other", { ...FAR, port: 1 }, CONFIG, ways);
    onTestFinished(holder.close);
    const { port } = await holder.endpoint();
    await recordPort(
      runtime,
      {
        configPath: "/lcops.config.json",
        name: "cache",
        host: "api",
        target: { host: "10.0.0.5", port: 6379 },
      },
      { port, pid: process.pid },
    );
    done.length = 0;
    const open = openService("cache", FAR, CONFIG, { ...ways, folders: { runtime } });
    expect([await open.endpoint(), await open.way()]).toEqual([
      { host: "127.0.0.1", port },
      "over the open tunnel cache",
    ]);
    expect(done).toEqual([]);
    const without = openService("cache", FAR, CONFIG, ways);
    onTestFinished(without.close);
    expect(await without.way()).toBe("through api");
  });

  test("that is a bucket has no port", async () => {
    const bucket: ServiceConfig = { kind: "s3", environment: "dev", bucket: "photos" };
    const open = openService("photos", bucket, CONFIG, makeWays().ways);
    await expect(open.endpoint()).rejects.toThrow("photos is a bucket, which has no port");
    expect(await open.host()).toBeUndefined();
    expect([open.environment, open.isProduction]).toEqual(["dev", false]);
  });
});

describe("its password", () => {
  const passwordOf = (config: RedisConfig, environment: NodeJS.ProcessEnv = {}) =>
    openService("cache", config, CONFIG, makeWays({ environment }).ways).password;

  test("is absent where none is configured", async () => {
    expect(await passwordOf(redis({}))()).toBeUndefined();
  });

  test("is read once", async () => {
    const environment: NodeJS.ProcessEnv = { CACHE: "secret" };
    const password = passwordOf(redis({ password: "${env:CACHE}" }), environment);
    expect(await password()).toBe("secret");
    environment["CACHE"] = "other";
    expect(await password()).toBe("secret");
  });

  test("that cannot be read is told", async () => {
    await expect(passwordOf(redis({ password: "${env:CACHE}" }))()).rejects.toMatchObject({
      kind: "access",
      message: "the secret ${env:CACHE} is not set",
    });
  });
});

describe("its environment", () => {
  test.each<[string, RedisConfig, string | undefined, boolean]>([
    ["through its host is the host's", FAR, "prod", true],
    ["without a host is its own", redis({ environment: "dev" }), "dev", false],
    ["may be none, which is guarded", redis({}), undefined, true],
  ])("%s", (_name, config, environment, isProduction) => {
    const open = openService("cache", config, CONFIG, makeWays().ways);
    expect([open.environment, open.isProduction]).toEqual([environment, isProduction]);
  });
});

describe("its TLS", () => {
  const tlsOf = (config: RedisConfig) =>
    openService("cache", config, CONFIG, makeWays().ways).tls();

  test("expects the certificate to be that of the address", () => {
    expect(tlsOf(redis({ tls: true, address: "cache.example" }))).toEqual({
      serverName: "cache.example",
    });
    expect(tlsOf(redis({ tls: true }))).toEqual({ serverName: "127.0.0.1" });
  });

  test("has the configured name, and whole paths", () => {
    const tls = {
      serverName: "other.example",
      ca: "~/ca.pem",
      certificate: "/etc/me.pem",
      key: "~/me.key",
    };
    expect(tlsOf(redis({ tls, address: "10.0.0.1" }))).toEqual({
      serverName: "other.example",
      ca: path.join(homedir(), "ca.pem"),
      certificate: "/etc/me.pem",
      key: path.join(homedir(), "me.key"),
    });
  });
});

test("the obstacle of a service is what its host said of the last socket to it", async () => {
  const { ways, done } = makeWays();
  const open = openService("cache", FAR, CONFIG, ways);
  onTestFinished(open.close);
  const { port } = await open.endpoint();
  expect(open.obstacle()).toBeUndefined();
  expect(await failToUse(port)).toBe("ECONNRESET");
  expect(open.obstacle()).toMatchObject({
    kind: "refused",
    message: "cache: no way to 10.0.0.5:6379",
    next: "see lcops doctor",
  });
  expect(describeObstacle(open)).toBe("10.0.0.5:6379: no way to 10.0.0.5:6379");
  expect(done).toEqual(["connected api", "cache: no way to 10.0.0.5:6379"]);
});

test("the target of a service is its address as its host sees it", () => {
  expect([describeTarget(FAR), describeTarget(redis({ host: "api" }))]).toEqual([
    "10.0.0.5:6379",
    "127.0.0.1:6379",
  ]);
});

describe("several services", () => {
  test("ask for no connection while none of them needs one, and are closed though they fail", async () => {
    const { ways } = makeWays({ reach: () => Promise.reject(new Error("nothing is reached")) });
    const found = withServices(CONFIG, ways, async (open) => {
      expect(await open("cache", redis({})).endpoint()).toEqual({ host: "127.0.0.1", port: 6379 });
      throw new Error("it failed");
    });
    await expect(found).rejects.toThrow("it failed");
  });

  test("fail with the reason why nothing can be reached", async () => {
    const { ways } = makeWays({ reach: () => Promise.reject(new Error("nothing is reached")) });
    await expect(withServices(CONFIG, ways, (open) => open("cache", FAR).host())).rejects.toThrow(
      "nothing is reached",
    );
  });
});
