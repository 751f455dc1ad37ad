import { type Agent, type IncomingMessage, request } from "node:http";
import type { Endpoint } from "../../reach/service-place.ts";

export interface SentRequest {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** With its query. */
  path: string;
  /** JSON, or lines of it where it is many requests in one. */
  body?: string | Uint8Array;
  isLines?: boolean;
}

/** Where an answer's body is put, one behind the other: whoever gives it has done with the one before. Buffers of megabytes that come and go are what V8 collects for. */
export interface Room {
  bytes?: Buffer;
}

export interface WayToCluster {
  endpoint: Endpoint;
  agent: Agent;
  /** `Basic …`; undefined: no login. */
  authorization?: string;
  signal: AbortSignal;
}

/** Given a request and how long the server may say nothing at all, return the status and the whole body. Throws the system's error where the connection is refused, cut before the end of the body, or silent. */
export function sendRequest(
  { endpoint, agent, authorization, signal }: WayToCluster,
  { method, path, body, isLines }: SentRequest,
  silenceMs: number,
  room: Room = {},
): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        ...endpoint,
        method,
        path,
        agent,
        signal,
        timeout: silenceMs,
        headers: {
          accept: "application/json",
          ...(body !== undefined && {
            "content-type": isLines ? "application/x-ndjson" : "application/json",
            "content-length": Buffer.byteLength(body),
          }),
          ...(authorization !== undefined && { authorization }),
        },
      },
      (response) => {
        readWhole(response, room).then(
          (whole) => resolve({ status: response.statusCode ?? 0, body: whole }),
          reject,
        );
      },
    );
    sent.on("timeout", () =>
      sent.destroy(new Error(`nothing was heard for ${silenceMs / 1000} s`)),
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Into one piece where its length is known: a page is megabytes, and is not to stand in memory twice. */
async function readWhole(response: IncomingMessage, room: Room): Promise<Buffer> {
  const length = Number(response.headers["content-length"] ?? Number.NaN);
  if (!Number.isSafeInteger(length)) {
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks);
  }
  if (!room.bytes || room.bytes.length < length) room.bytes = Buffer.allocUnsafe(length);
  const whole = room.bytes.subarray(0, length);
  let at = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) at += chunk.copy(whole, at);
  if (at !== length) throw new Error(`the answer is cut off after ${at} of ${length} bytes`);
  return whole;
}
