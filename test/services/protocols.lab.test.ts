import type { Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { ServiceKind } from "../../src/services/registry.ts";
import { serviceTypeOf } from "../../src/services/registry.ts";
import {
  answerWith,
  drip,
  httpAnswer,
  startScripted,
  type ScriptedServer,
} from "./scripted-server.ts";

let server: ScriptedServer | undefined;
afterEach(() => server?.stop());

const probe = async (kind: ServiceKind, script: (socket: Socket) => void, path?: string) => {
  server = await startScripted(script);
  const type = serviceTypeOf(kind);
  const service = { kind, port: server.port, ...(path !== undefined && { path }) };
  return type.probe(server, service, { timeoutMs: 2_000, signal: new AbortController().signal });
};

describe("redis", () => {
  test.each([
    ["+PONG", true, "PONG"],
    ["-NOAUTH Authentication required.", true, "NOAUTH Authentication required."],
    ["-LOADING Redis is loading", true, "LOADING Redis is loading"],
    ["-MASTERDOWN Link with MASTER is down", true, "MASTERDOWN Link with MASTER is down"],
    ["-ERR unknown command", false, "it refuses: ERR unknown command"],
    ["-NOAUTHX", false, "it refuses: NOAUTHX"],
    ["HTTP/1.1 400 Bad Request", false, "not Redis: HTTP/1.1 400 Bad Request"],
    ["SSH-2.0-OpenSSH_9.2", false, "not Redis: SSH-2.0-OpenSSH_9.2"],
    ["x".repeat(500), false, `not Redis: ${"x".repeat(80)}`],
  ])("%s", async (line, answers, detail) => {
    expect(await probe("redis", answerWith(`${line}\r\n`))).toEqual({ answers, detail });
  });

  test("is asked for PING, and may answer byte by byte", async () => {
    let asked = "";
    const result = await probe("redis", (socket) => {
      socket.on("data", (chunk: Buffer) => void (asked += chunk.toString()));
      drip(Buffer.from("+PONG\r\n"))(socket);
    });
    expect(result).toEqual({ answers: true, detail: "PONG" });
    expect(asked).toBe("PING\r\n");
  });
});

/** A packet: the length in three bytes, its number, the payload. */
function packet(payload: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(payload.length, 0, 3);
  return Buffer.concat([head, payload]);
}
const greeting = packet(Buffer.from("\u000a8.0.36-log\0rest of it", "latin1"));
const failure = (code: number, message: string): Buffer =>
  packet(Buffer.concat([Buffer.from([0xff, code & 0xff, code >> 8]), Buffer.from(message)]));

describe("mysql", () => {
  test.each([
    ["a greeting", greeting, true, "version 8.0.36-log"],
    ["a greeting and more", Buffer.concat([greeting, greeting]), true, "version 8.0.36-log"],
    ["too many connections", failure(1040, "#08004Too many"), false, "error 1040: Too many"],
    ["a blocked host", failure(1129, "Host is blocked"), false, "error 1129: Host is blocked"],
    [
      "an old protocol",
      packet(Buffer.from([9, 51, 0])),
      false,
      "something other than MySQL answers",
    ],
    ["an empty packet", Buffer.alloc(8), false, "something other than MySQL answers"],
  ])("%s", async (_what, bytes, answers, detail) => {
    expect(await probe("mysql", (socket) => void socket.write(bytes))).toEqual({ answers, detail });
  });

  test.each([
    ["a greeting", greeting, true],
    ["an error", failure(1040, "Too many connections"), false],
  ])("%s may come byte by byte", async (_what, bytes, answers) => {
    const result = await probe("mysql", drip(bytes));
    expect(result.answers).toBe(answers);
    expect(result.detail).toMatch(/^version 8\.0\.36-log$|^error 1040: Too many connections$/);
  });

  test("a greeting that is cut is none", async () => {
    const result = await probe("mysql", (socket) => void socket.end(greeting.subarray(0, 9)));
    expect(result.answers).toBe(false);
  });

  test.each([
    "SSH-2.0-OpenSSH_9.2\r\n",
    "220 mail.example.com ESMTP\r\n",
    "HTTP/1.1 200 OK\r\n\r\n",
  ])("%j is seen at once as another protocol", async (banner) => {
    const started = performance.now();
    const result = await probe("mysql", (socket) => void socket.write(banner));
    expect(result.answers).toBe(false);
    expect(result.detail).not.toContain("no answer");
    expect(performance.now() - started).toBeLessThan(1_500);
  });
});

describe("over HTTP", () => {
  const basic = (realm: string): string => `WWW-Authenticate: Basic realm="${realm}"`;
  const cluster = JSON.stringify({ cluster_name: "logs", version: { number: "8.1.0" } });
  const xml = '<?xml version="1.0"?><monit><server><version>5.33.0</version></server></monit>';
  test.each([
    ["elasticsearch", httpAnswer(200, cluster), true, "cluster logs, version 8.1.0"],
    ["elasticsearch", httpAnswer(401, ""), true, "HTTP 401, it wants credentials"],
    ["elasticsearch", httpAnswer(200, "<html>Kibana</html>"), false, "not from Elasticsearch"],
    ["graphite", httpAnswer(200, '["carbon","stats"]'), true, "2 metric roots"],
    ["graphite", httpAnswer(200, "[]"), true, "0 metric roots"],
    ["graphite", httpAnswer(200, '{"a":1}'), false, "something other than Graphite"],
    ["graphite", httpAnswer(401, "[]", [basic("x")]), false, "HTTP 401"],
    ["monit", httpAnswer(200, xml), true, "version 5.33.0"],
    ["monit", httpAnswer(401, "", [basic("monit")]), true, "it wants a login"],
    ["monit", httpAnswer(401, "", ["Server: nginx", basic("private")]), false, "something other"],
    ["monit", httpAnswer(200, "<html>It works</html>"), false, "HTTP 200, not from Monit"],
    ["http", httpAnswer(200, "hello", ["Server: nginx"]), true, "HTTP 200, nginx"],
    ["http", httpAnswer(403, "", ["X-Jenkins: 2.440"]), true, "HTTP 403, Jenkins 2.440"],
    ["http", httpAnswer(302, "", ["Location: /login"]), true, "HTTP 302"],
  ] as const)("%s is judged by what it says (%#)", async (kind, text, answers, detail) => {
    const result = await probe(kind, answerWith(text));
    expect(result.answers).toBe(answers);
    expect(result.detail).toContain(detail);
  });

  test.each([
    ["http", "/login", "GET /login HTTP/1.1"],
    ["http", undefined, "GET / HTTP/1.1"],
    ["elasticsearch", undefined, "GET / HTTP/1.1"],
    ["graphite", undefined, "GET /metrics/find?query=* HTTP/1.1"],
    ["monit", undefined, "GET /_status?format=xml HTTP/1.1"],
  ] as const)("%s with the page %s sends %s", async (kind, path, expected) => {
    let request = "";
    await probe(
      kind,
      (socket) => {
        socket.on("data", (chunk: Buffer) => {
          request += chunk.toString();
          socket.end(httpAnswer(200, ""));
        });
      },
      path,
    );
    expect(request.split("\r\n")[0]).toBe(expected);
  });

  test("an answer may come byte by byte", async () => {
    const result = await probe("graphite", drip(Buffer.from(httpAnswer(200, '["carbon"]'))));
    expect(result).toEqual({ answers: true, detail: "1 metric root" });
  });
});
