import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { once } from "node:events";
import { connect } from "node:net";
import { get, type IncomingHttpHeaders, type IncomingMessage } from "node:http";

export interface Page {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Given an address, return the page that is there. */
export async function fetchPage(url: URL): Promise<Page> {
  const request = get(url, { agent: false });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(chunks),
  };
}

/** Given the address of Graphite's render API as JSON, return its series; throws where there is none with a value. */
export async function fetchSeries(url: URL): Promise<{ name: string; values: number[] }[]> {
  const { status, body } = await fetchPage(url);
  if (status !== 200) throw new Error(`${url.pathname} answers with ${status}`);
  const found = (
    JSON.parse(body.toString()) as { target: string; datapoints: [number | null, number][] }[]
  )
    .map(({ target, datapoints }) => ({
      name: target,
      values: datapoints.flatMap(([value]) => (value === null ? [] : [value])),
    }))
    .filter(({ values }) => values.length > 0);
  if (found.length === 0) throw new Error("Graphite has no values to draw");
  return found;
}

/** Given the bytes of a PNG picture, return its size; throws where it is none (PNG specification, IHDR). */
export function readPngSize(bytes: Buffer): { width: number; height: number } {
  if (bytes.toString("latin1", 1, 4) !== "PNG") throw new Error("that is no PNG picture");
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

/** Given values, return a line of at most `width` bars, each the mean of its share. */
export function drawSparkline(values: readonly number[], width: number): string {
  const share = Math.max(1, values.length / width);
  const means = Array.from({ length: Math.min(width, values.length) }, (_, index) => {
    const part = values.slice(Math.floor(index * share), Math.floor((index + 1) * share));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  const low = Math.min(...means);
  const span = Math.max(...means) - low || 1;
  return means
    .map((mean) => "▁▂▃▄▅▆▇█"[Math.min(7, Math.floor(((mean - low) / span) * 8))])
    .join("");
}

/** Given the address of a Redis, return its answers to PING and DBSIZE. */
export async function pingRedis(url: URL): Promise<string[]> {
  const socket = connect(Number(url.port), url.hostname);
  socket.end("PING\r\nDBSIZE\r\n");
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text.split("\r\n");
}

/** Given the pid of an sshd, end the processes of its sessions, as a network does; returns how many there were. */
export async function endSessions(sshd: number): Promise<number> {
  // One of its processes takes the other with it.
  const children = await readFile(`/proc/${sshd}/task/${sshd}/children`, "utf8").catch(() => "");
  const pids = children.trim().split(" ").filter(Boolean).map(Number);
  for (const pid of pids) {
    // A session has one process that watches and one that serves.
    await endSessions(pid);
    if (existsSync(`/proc/${pid}`)) process.kill(pid, "SIGKILL");
  }
  return pids.length;
}
