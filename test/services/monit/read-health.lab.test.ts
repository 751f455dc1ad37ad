/** What a Monit can answer: a real one, and one that is scripted to answer what a real one cannot be made to. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { MonitConfig } from "../../../src/services/monit/settings.ts";
import { openService } from "../../../src/reach/open-service.ts";
import { readHealth } from "../../../src/services/monit/read-health.ts";
import type { Reading } from "../../../src/system/reading.ts";
import { createPortPicker } from "../../lab/free-port.ts";
import { waitUntilReady } from "../../lab/ready.ts";
import { answerWith, httpAnswer, type ScriptedServer, startScripted } from "../scripted-server.ts";
import { stateOf } from "../../support/lab.ts";

const CONFIG: MonitConfig = { kind: "monit", host: "api", port: 2812 };

/** Ask as lcops does. */
function ask(
  port: number,
  config: Partial<MonitConfig> = {},
  password?: string,
): Promise<Reading[]> {
  const signal = AbortSignal.timeout(10_000);
  const reach = (): Promise<never> => Promise.reject(new Error("no host is reached"));
  const ways = { environment: {}, signal, reach };
  return readHealth(
    {
      ...openService("api-monit", { ...CONFIG, ...config }, {}, ways),
      endpoint: async () => ({ host: "127.0.0.1", port }),
      password: async () => password,
    },
    signal,
  );
}
const statesOf = (readings: readonly Reading[]): Record<string, string> =>
  Object.fromEntries(readings.map(({ name, state }) => [name.replace("api-monit/", ""), state]));

/** Of a service with those elements, as 5.33 writes it. */
const NOW = Math.floor(Date.now() / 1000);
const service = (name: string, elements: string, type: number | string = 3, at = NOW): string =>
  `<service type="${type}"><name>${name}</name><collected_sec>${at}</collected_sec><collected_usec>0</collected_usec>${elements}</service>`;
const WELL = "<status>0</status><monitor>1</monitor>";
const statusOf = (...services: string[]): string =>
  `<?xml version="1.0" encoding="ISO-8859-1"?><monit><server><version>5.33.0</version><poll>30</poll></server><platform><name>Linux</name></platform>${services.join("")}</monit>`;

describe("a scripted one", () => {
  const servers: ScriptedServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
  });
  const answering = async (body: string | Buffer, status = 200): Promise<Promise<Reading[]>> => {
    const head = httpAnswer(status, "", ["Server: monit 5.33.0"]).replace(
      /Content-Length: 0\r\n/,
      "",
    );
    const server = await startScripted(
      answerWith(Buffer.concat([Buffer.from(head), Buffer.from(body)])),
    );
    servers.push(server);
    return ask(server.port);
  };

  test.each([
    [401, "access", /127\.0\.0\.1:2812 wants another login \(401\)/],
    [403, "access", /wants another login \(403\)/],
    [500, "failed", /is HTTP 500/],
  ])("that answers %i is known to be there, and no more", async (status, kind, message) => {
    await expect(answering("<html></html>", status)).rejects.toMatchObject({
      kind,
      message: expect.stringMatching(message),
    });
  });

  const whole = statusOf(service("sshd", WELL), service("nginx", WELL));
  test.each([
    ["a page", "<html><body>It works!</body></html>"],
    ["nothing", ""],
    ["a status that is cut within a service", whole.slice(0, whole.indexOf("nginx") + 20)],
    ["a status that is cut behind a service", whole.slice(0, -"</monit>".length)],
  ])("that answers %s is not believed", async (_what, body) => {
    await expect(answering(body)).rejects.toThrow("is not Monit's status, or not whole");
  });

  test("whose answer does not end is left", async () => {
    const server = await startScripted((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<monit>");
        const more = (): void => {
          while (socket.writable && socket.write(Buffer.alloc(65_536, "<service>"))) continue;
        };
        socket.on("drain", more);
        more();
      });
    });
    servers.push(server);
    await expect(ask(server.port)).rejects.toThrow("the answer does not end");
  });

  test("that is not there is unreachable, which is known", async () => {
    const server = await startScripted(() => undefined);
    await server.stop();
    await expect(ask(server.port)).rejects.toMatchObject({ kind: "unreachable" });
  });

  test("names things as nobody should", async () => {
    const odd = ["a<&>b", "</name>", "&lt;escaped&gt; &amp;", '"quoted"', "new\nline"];
    const readings = await answering(statusOf(...odd.map((name) => service(name, WELL))));
    expect(readings.slice(1).map(({ name }) => name)).toEqual([
      "api-monit/a<&>b",
      "api-monit/</name>",
      "api-monit/<escaped> &",
      'api-monit/"quoted"',
      "api-monit/new\nline",
    ]);
    expect(new Set(readings.map(({ state }) => state))).toEqual(new Set(["ok"]));
  });

  test("writes umlauts in either encoding", async () => {
    const text = statusOf(service("Prüfung", WELL));
    for (const encoding of ["latin1", "utf8"] as const) {
      const readings = await answering(Buffer.from(text, encoding));
      expect(readings[1]?.name).toBe("api-monit/Prüfung");
    }
  });

  test("watches kinds and fails in ways that nobody has heard of", async () => {
    const bits = 0x200 + 0x20 + 2 ** 33;
    const readings = await answering(
      statusOf(
        service("new", WELL, 12),
        service("bad", `<status>${bits}</status><monitor>1</monitor>`, 4),
      ),
    );
    expect(readings.slice(1)).toMatchObject([
      { state: "ok", detail: "type 12: as it should be" },
      { state: "fail", detail: "remote host: fails: connection, does not exist, test 0x200000000" },
    ]);
  });

  test("says what it does not know, and that is not well", async () => {
    const readings = await answering(
      statusOf(
        service("well", WELL),
        service("left", "<status>0</status><monitor>0</monitor>"),
        service("left-failing", "<status>512</status><monitor>0</monitor>"),
        service("beginning", "<status>0</status><monitor>2</monitor>"),
        service("waiting", "<status>0</status><monitor>4</monitor>"),
        service("unheard-of", "<status>0</status><monitor>7</monitor>"),
        service("silent", ""),
        service("stale", WELL, 3, NOW - 100),
        service(
          "seldom",
          `<every><type>1</type><counter>1</counter><number>10</number></every>${WELL}`,
          3,
          NOW - 800,
        ),
        service(
          "nightly",
          `<every><type>2</type><cron>* 2 * * *</cron></every>${WELL}`,
          3,
          NOW - 80_000,
        ),
        '<service type="3"><strange/></service>',
      ),
    );
    expect(statesOf(readings)).toEqual({
      "api-monit": "ok",
      well: "ok",
      left: "unmonitored",
      "left-failing": "unmonitored",
      beginning: "unknown",
      waiting: "unknown",
      "unheard-of": "unknown",
      silent: "unknown",
      stale: "unknown",
      seldom: "ok",
      nightly: "ok",
      "a service that cannot be read": "unknown",
    });
  });

  test("that hangs says nothing of how things are now", async () => {
    const readings = await answering(statusOf(service("sshd", WELL, 3, NOW - 600)));
    expect(readings).toMatchObject([
      {
        state: "unknown",
        detail: expect.stringMatching(/has not looked for 6\d\d s, and should every 30 s/),
      },
      { state: "unknown", detail: expect.stringMatching(/last looked at 6\d\d s ago/) },
    ]);
  });

  test("that watches nothing is not well", async () => {
    expect(statesOf(await answering(statusOf()))).toEqual({ "api-monit": "unknown" });
  });

  test("is judged by its own clock", async () => {
    const anHourAgo = NOW - 3600;
    const body = statusOf(service("sshd", WELL, 3, anHourAgo));
    const date = `Date: ${new Date(anHourAgo * 1000).toUTCString()}`;
    const server = await startScripted(answerWith(httpAnswer(200, body, [date])));
    servers.push(server);
    expect(statesOf(await ask(server.port))).toEqual({ "api-monit": "ok", sshd: "ok" });
  });

  test("of the shapes of 5.5 and of M/Monit's is understood", async () => {
    const old = `<?xml version="1.0" encoding="ISO-8859-1"?><monit><server><id>1</id><version>5.5</version><poll>60</poll></server>${service("sshd", WELL)}</monit>`;
    const turned = `<?xml version="1.0"?><monit id="1" version="5.35.2"><server><poll>60</poll></server><services><service name="sshd"><type>3</type><collected_sec>${NOW}</collected_sec><status>512</status><status_message><![CDATA[process is not running]]></status_message><monitor>1</monitor></service></services></monit>`;
    expect(await answering(old)).toMatchObject([
      { detail: "Monit 5.5 watches 1" },
      { state: "ok" },
    ]);
    expect(await answering(turned)).toMatchObject([
      { detail: "Monit 5.35.2 watches 1" },
      { state: "fail", detail: "process: fails: process is not running" },
    ]);
  });

  test("may watch three hundred", async () => {
    const many = Array.from({ length: 300 }, (_, index) =>
      service(`s${index}`, WELL + "<x>y</x>".repeat(150)),
    );
    const readings = await answering(statusOf(...many));
    expect(readings).toHaveLength(301);
    expect(readings.at(-1)?.name).toBe("api-monit/s299");
  });
});

const hasOpenssl = existsSync("/usr/bin/openssl");
describe.skipIf(!hasOpenssl)("over TLS", () => {
  let folder: string;
  let server: Server;
  let port: number;
  let authorization: string | undefined;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), "lcops-monit-tls-"));
    const names = [
      "-subj",
      "/CN=monit.example.com",
      "-addext",
      "subjectAltName=DNS:monit.example.com",
    ];
    const files = ["-keyout", `${folder}/key.pem`, "-out", `${folder}/cert.pem`];
    const words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
    await promisify(execFile)("openssl", [...words, ...names, ...files]);
    const pem = {
      key: readFileSync(`${folder}/key.pem`),
      cert: readFileSync(`${folder}/cert.pem`),
    };
    server = createServer(pem, (request, response) => {
      ({ authorization } = request.headers);
      response.end(statusOf(service("sshd", WELL)));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("it is told the password once its certificate is known, by the name in it", async () => {
    const tls = { ca: `${folder}/cert.pem`, serverName: "monit.example.com" };
    const readings = await ask(port, { user: "admin", tls }, "s3cret");
    expect(statesOf(readings)).toEqual({ "api-monit": "ok", sshd: "ok" });
    expect(Buffer.from(authorization?.slice(6) ?? "", "base64").toString()).toBe("admin:s3cret");
  });

  test.each([
    ["an authority that nobody knows", { serverName: "monit.example.com" }, /self-signed/],
    [
      "another name",
      { ca: "cert.pem", serverName: "other.example.com" },
      /altnames|does not match/i,
    ],
  ])(
    "one of %s is told nothing",
    async (_what, { ca, serverName }: { ca?: string; serverName: string }, said) => {
      authorization = undefined;
      const tls = { serverName, ...(ca !== undefined && { ca: path.join(folder, ca) }) };
      await expect(ask(port, { user: "admin", tls }, "s3cret")).rejects.toThrow(said);
      expect(authorization).toBeUndefined();
    },
  );
});

describe.skipIf(stateOf("monit") === "absent")("a real one", () => {
  let folder: string;
  let port: number;
  let child: ChildProcess;
  const control = (...words: string[]) =>
    promisify(execFile)("monit", ["-c", `${folder}/monitrc`, ...words]);
  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), "lcops-monit-"));
    port = await createPortPicker()("127.0.0.1");
    const files = ["pid", "id", "state"].map((name) => `set ${name}file ${folder}/${name}`);
    const lines = [
      "set daemon 1",
      `set logfile ${folder}/log`,
      ...files,
      `set httpd port ${port} and use address 127.0.0.1`,
      '  allow admin:"pass"',
      'check system "Prüf <&> host"',
      `check process absent with pidfile ${folder}/none.pid`,
      "check filesystem root with path /",
      '  if space usage > 99.9% then exec "/bin/true"',
      'check program failing with path "/bin/false"',
      '  if status != 0 then exec "/bin/true"',
      `check file hosts with path /etc/hosts`,
      "",
    ];
    writeFileSync(`${folder}/monitrc`, lines.join("\n"), { mode: 0o600 });
    child = spawn("monit", ["-I", "-c", `${folder}/monitrc`], { stdio: "ignore" });
    await waitUntilReady("monit", async () => {
      const { failing, absent } = statesOf(await ask(port, { user: "admin" }, "pass"));
      if (failing !== "fail" || absent !== "fail") throw new Error("it has not looked yet");
    });
  });
  afterAll(async () => {
    const ended = once(child, "exit");
    child.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });

  test("tells how everything is, and what it was told to leave is unmonitored", async () => {
    const before = await ask(port, { user: "admin" }, "pass");
    expect(statesOf(before)).toEqual({
      "api-monit": "ok",
      "Prüf <&> host": "ok",
      absent: "fail",
      root: "ok",
      failing: "fail",
      hosts: "ok",
    });
    expect(before.find(({ name }) => name === "api-monit/absent")?.detail).toBe(
      "process: fails: does not exist",
    );
    expect(before.find(({ name }) => name === "api-monit/root")?.detail).toMatch(
      /^filesystem: uses [\d.]+ GB of [\d.]+ GB$/,
    );
    // So the day on which it is full can be told of it too.
    expect(before.find(({ name }) => name === "api-monit/root")?.disk?.totalBytes).toBeGreaterThan(
      1e9,
    );
    await control("unmonitor", "failing");
    await waitUntilReady("monit", async () => {
      const { failing } = statesOf(await ask(port, { user: "admin" }, "pass"));
      if (failing === "fail") throw new Error("it still watches it");
      expect(failing).toBe("unmonitored");
    });
  });

  test("that was restarted in between calls nothing well before it has looked at it", async () => {
    const ended = once(child, "exit");
    child.kill();
    await ended;
    await expect(ask(port, { user: "admin" }, "pass")).rejects.toMatchObject({
      kind: "unreachable",
    });
    child = spawn("monit", ["-I", "-c", `${folder}/monitrc`], { stdio: "ignore" });
    const seen = new Set<string | undefined>();
    await waitUntilReady("monit", async () => {
      const { absent } = statesOf(await ask(port, { user: "admin" }, "pass"));
      seen.add(absent);
      if (absent !== "fail") throw new Error("it has not looked yet");
    });
    expect(["fail", "unknown"]).toEqual(expect.arrayContaining([...seen]));
  });

  test("with another password is known to be there, and no more", async () => {
    await expect(ask(port, { user: "admin" }, "wrong")).rejects.toMatchObject({ kind: "access" });
    await expect(ask(port)).rejects.toMatchObject({ kind: "access" });
  });
});
