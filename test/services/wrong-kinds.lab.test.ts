import { getEventListeners } from "node:events";
import type { Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { ServiceKind } from "../../src/services/registry.ts";
import { serviceTypeOf } from "../../src/services/registry.ts";
import { drip, httpAnswer, startScripted, type ScriptedServer } from "./scripted-server.ts";

const KINDS: readonly ServiceKind[] = [
  "elasticsearch",
  "graphite",
  "http",
  "monit",
  "mysql",
  "redis",
];
const { signal } = new AbortController();

let server: ScriptedServer | undefined;
afterEach(() => server?.stop());

const probe = async (
  kind: ServiceKind,
  script: (socket: Socket) => void,
  options: { timeoutMs?: number; signal?: AbortSignal } = {},
) => {
  server = await startScripted(script);
  const type = serviceTypeOf(kind);
  return type.probe(server, { kind, port: server.port }, { timeoutMs: 2_000, signal, ...options });
};
/** What the probe leaves behind: nothing is to stay open. */
const allClosed = () => expect.poll(() => server?.sockets.size, { timeout: 2_000 }).toBe(0);

/** What keeps each kind waiting for more. */
function beginning(kind: ServiceKind): string {
  if (kind === "mysql") return "\xff\x0f\0\0";
  return kind === "redis" ? "+" : "HTTP/1.1 200 OK\r\nX: ";
}

describe.each(KINDS)("%s", (kind) => {
  test("nobody listens: refused", async () => {
    server = await startScripted(() => undefined);
    await server.stop();
    const type = serviceTypeOf(kind);
    const result = await type.probe(
      server,
      { kind, port: server.port },
      { timeoutMs: 2_000, signal },
    );
    expect(result.answers).toBe(false);
    expect(result.detail).toContain("ECONNREFUSED");
  });

  test("a server that says nothing is given up at the limit", async () => {
    const started = performance.now();
    const result = await probe(kind, (socket) => void socket.resume(), { timeoutMs: 150 });
    expect(result).toEqual({ answers: false, detail: "no answer within 0.15 s" });
    expect(performance.now() - started).toBeLessThan(1_500);
    await allClosed();
  });

  test("a server that says a byte now and then is given up at the limit", async () => {
    const started = performance.now();
    const bytes = Buffer.from(`${beginning(kind)}${"x".repeat(2_000)}`, "latin1");
    const result = await probe(kind, drip(bytes, 20), { timeoutMs: 200 });
    expect(result).toEqual({ answers: false, detail: "no answer within 0.2 s" });
    expect(performance.now() - started).toBeLessThan(1_500);
    await allClosed();
  }, 10_000);

  test("a server that closes at once does not answer", async () => {
    const result = await probe(kind, (socket) => void socket.end());
    expect(result.answers).toBe(false);
    expect(result.detail).not.toBe("");
  });

  test("a server that resets does not answer", async () => {
    const result = await probe(kind, (socket) => void socket.resetAndDestroy());
    expect(result).toMatchObject({ answers: false });
  });

  test("garbage without end is no answer, and is not read for ever", async () => {
    const chunk = Buffer.alloc(16 * 1024, 0xfe);
    const result = await probe(kind, (socket) => {
      const flood = (): void => {
        while (socket.writable && socket.write(chunk)) continue;
      };
      socket.on("drain", flood);
      flood();
    });
    expect(result.answers).toBe(false);
    await allClosed();
  });

  test("the signal ends it with its reason, and nothing stays open", async () => {
    const stop = new AbortController();
    const asked = probe(
      kind,
      (socket) => {
        socket.resume();
        stop.abort(new Error("stopped by the test"));
      },
      { timeoutMs: 20_000, signal: stop.signal },
    );
    await expect(asked).rejects.toThrow("stopped by the test");
    await allClosed();
  });

  test("a signal that was aborted before connects to nothing", async () => {
    let connected = false;
    const aborted = AbortSignal.abort(new Error("stopped by the test"));
    const asked = probe(kind, () => void (connected = true), { signal: aborted });
    await expect(asked).rejects.toThrow("stopped by the test");
    expect(connected).toBe(false);
  });

  test("asking again and again leaves no listener on the signal", async () => {
    const own = new AbortController();
    server = await startScripted((socket) => void socket.end("nonsense\r\n"));
    const type = serviceTypeOf(kind);
    for (let round = 0; round < 12; round++)
      await type.probe(
        server,
        { kind, port: server.port },
        { timeoutMs: 2_000, signal: own.signal },
      );
    expect(getEventListeners(own.signal, "abort")).toHaveLength(0);
  });
});

describe.each(["elasticsearch", "graphite", "http", "monit"] as const)("%s over HTTP", (kind) => {
  test.each([500, 502, 503, 504])("HTTP %i is no answer", async (status) => {
    const result = await probe(kind, (socket) => void socket.end(httpAnswer(status, "broken")));
    expect(result.answers).toBe(false);
    expect(result.detail).toContain(`HTTP ${status}`);
  });

  test("headers past all measure are no answer", async () => {
    const huge = `X-Huge: ${"x".repeat(200_000)}`;
    const result = await probe(kind, (socket) => void socket.end(httpAnswer(200, "", [huge])));
    expect(result.answers).toBe(false);
  });

  test("a body that is cut is no answer", async () => {
    const cut = `HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n["half`;
    const result = await probe(kind, (socket) => void socket.end(cut));
    expect(result.answers).toBe(false);
  });

  test("a body without end is judged by its beginning", async () => {
    const chunk = "x".repeat(16 * 1024);
    const result = await probe(kind, (socket) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      const flood = (): void => {
        while (socket.writable && socket.write(chunk)) continue;
      };
      socket.on("drain", flood);
      flood();
    });
    expect(result.answers).toBe(kind === "http");
    expect(result.detail).not.toContain("no answer");
    await allClosed();
  });
});
