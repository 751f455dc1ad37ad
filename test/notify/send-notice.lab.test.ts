/** Real servers and programs that hear, refuse, hang and go away. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { sendNotice } from "../../src/notify/send-notice.ts";

const DOCUMENT = {
  event: "backup",
  text: "school has failed",
  job: "school",
  reason: "quotes \" and ' and \n lines",
};
const SECRET = "T0K3N";

let folder: string;
const servers: http.Server[] = [];
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "lcops-notice-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const options = (signal = new AbortController().signal) => ({
  environment: { PATH: process.env["PATH"] },
  signal,
});

/** How many processes of a group run; what has ended and was not asked about yet does not. */
function countLiving(group: number): number {
  return readdirSync("/proc").filter((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      // proc(5): behind the name its state, its parent and its group.
      const [state, , of] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(of) === group && state !== "Z";
    } catch {
      return false;
    }
  }).length;
}

interface Heard {
  method: string | undefined;
  type: string | undefined;
  body: string;
}

/** Starts a server and returns its address, with a secret in it, and what it has heard. */
async function serve(
  answer: (response: http.ServerResponse, count: number) => void,
): Promise<{ webhook: string; heard: Heard[] }> {
  const heard: Heard[] = [];
  const server = http.createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (text: string) => (body += text));
    request.on("end", () => {
      heard.push({ method: request.method, type: request.headers["content-type"], body });
      answer(response, heard.length);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { webhook: `http://127.0.0.1:${port}/${SECRET}`, heard };
}

describe("a webhook", () => {
  test("is posted the document as JSON", async () => {
    const { webhook, heard } = await serve((response) => response.end("ok"));
    expect(await sendNotice({ webhook }, DOCUMENT, options())).toBeUndefined();
    expect(heard).toEqual([
      { method: "POST", type: "application/json", body: `${JSON.stringify(DOCUMENT)}\n` },
    ]);
  });

  test("that cannot now is asked again; one that refuses is not", async () => {
    const once = await serve((response, count) =>
      response.writeHead(count === 1 ? 503 : 204).end(),
    );
    expect(await sendNotice(once, DOCUMENT, options())).toBeUndefined();
    expect(once.heard).toHaveLength(2);
    const broken = await serve((response) => response.writeHead(500).end());
    expect(await sendNotice(broken, DOCUMENT, options())).toBe("the webhook answered 500");
    expect(broken.heard).toHaveLength(3);
    const gone = await serve((response) => response.writeHead(410).end());
    expect(await sendNotice(gone, DOCUMENT, options())).toBe("the webhook answered 410");
    expect(gone.heard).toHaveLength(1);
  });

  test("that leads elsewhere is not followed", async () => {
    const other = await serve((response) => response.end());
    const first = await serve((response) =>
      response.writeHead(307, { location: other.webhook }).end(),
    );
    expect(await sendNotice(first, DOCUMENT, options())).toBe("the webhook answered 307");
    expect(other.heard).toEqual([]);
  });

  test("that is down, or is no address, is told without its address", async () => {
    const { webhook } = await serve((response) => response.end());
    const server = servers.pop();
    await new Promise((resolve) => server?.close(resolve));
    for (const [address, more] of [
      [webhook, ": ECONNREFUSED"],
      [`not an address ${SECRET}`, ": ERR_INVALID_URL"],
      [`ftp://x/${SECRET}`, ""],
    ] as const) {
      const why = await sendNotice({ webhook: address }, DOCUMENT, options());
      expect(why).toBe(`the webhook cannot be reached${more}`);
    }
  });

  test("that hangs up may have heard, and is not told twice", async () => {
    const { webhook, heard } = await serve((response) => response.destroy());
    const why = await sendNotice({ webhook }, DOCUMENT, options());
    expect(why).toMatch(/^the webhook cannot be reached: (UND_ERR_SOCKET|ECONNRESET)$/);
    expect(heard).toHaveLength(1);
  });

  test("that hangs, or whose answer never ends, holds nobody up", async () => {
    const endless = await serve((response) => response.writeHead(200).write("more"));
    expect(await sendNotice(endless, DOCUMENT, options())).toBeUndefined();
    const silent = await serve(() => undefined);
    const began = Date.now();
    expect(await sendNotice(silent, DOCUMENT, options())).toBe(
      "the webhook has not answered within 5 s",
    );
    expect(Date.now() - began).toBeLessThan(15_000);
    expect(silent.heard).toHaveLength(1);
  }, 30_000);

  test("ends with the signal", async () => {
    const stop = new AbortController();
    const silent = await serve(() => stop.abort(new Error("stopped")));
    expect(await sendNotice(silent, DOCUMENT, options(stop.signal))).toBe("stopped");
  });
});

describe("a command", () => {
  const sh = (script: string, ...more: string[]) => ({ command: ["sh", "-c", script, ...more] });

  test("gets the document as its input, and its arguments as they are", async () => {
    const file = path.join(folder, "heard");
    const odd = "a b; $(c) 'd'";
    const recipient = sh('cat > "$0"; printf %s "$1" > "$0.word"', file, odd);
    expect(await sendNotice(recipient, DOCUMENT, options())).toBeUndefined();
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(DOCUMENT);
    expect(readFileSync(`${file}.word`, "utf8")).toBe(odd);
  });

  test("need not read it", async () => {
    const large = { text: "x".repeat(4_000_000) };
    expect(await sendNotice({ command: ["true"] }, large, options())).toBeUndefined();
  });

  test("that fails is told with its last words, one that is missing by its name", async () => {
    const failing = sh("echo one >&2; echo two >&2; exit 3");
    expect(await sendNotice(failing, DOCUMENT, options())).toBe("sh ended with 3: two");
    expect(await sendNotice({ command: ["no-such-program"] }, DOCUMENT, options())).toBe(
      "the program no-such-program is not installed",
    );
    expect(await sendNotice({ command: [folder] }, DOCUMENT, options())).toMatch(/EACCES/);
  });

  test("that leaves something running is not waited for", async () => {
    const began = Date.now();
    const recipient = sh("sleep 4 & exit 0");
    expect(await sendNotice(recipient, DOCUMENT, options())).toBeUndefined();
    expect(Date.now() - began).toBeLessThan(3_500);
  });

  test("that hangs is ended with its children", async () => {
    const recipient = sh('trap "" TERM; echo $$ > "$0"; sleep 60; true', path.join(folder, "pid"));
    expect(await sendNotice(recipient, DOCUMENT, options())).toBe("sh has not ended within 5 s");
    const group = Number(readFileSync(path.join(folder, "pid"), "utf8"));
    await until("all of them are gone", () => Promise.resolve(countLiving(group) === 0));
  }, 30_000);

  test("is started without a shell", async () => {
    const file = path.join(folder, "made");
    await sendNotice({ command: [`true; touch ${file}`] }, DOCUMENT, options());
    expect(existsSync(file)).toBe(false);
  });
});
