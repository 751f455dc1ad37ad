import { readFile } from "node:fs/promises";
import type { IncomingMessage, RequestOptions } from "node:http";
import { describeError, OperatorError } from "../../system/errors.ts";
import type { ServiceTls } from "../../reach/service-place.ts";
import type { HealthPlace } from "../service.ts";
import type { MonitConfig } from "./settings.ts";

export interface StatusAnswer {
  status: number;
  body: Buffer;
  /** Unix seconds by the clock of that machine, which need not be ours. */
  now: number;
  /** For messages. */
  where: string;
}

/** Three hundred services are a third of it. */
const LIMIT_BYTES = 4 * 1024 * 1024;

/**
 * Returns the answer of a Monit that is asked for its status. Throws the system's error where the connection is refused or cut, `failed` where the
 * answer does not end, and the errors of the ways to it.
 */
export async function fetchStatus(
  place: HealthPlace<MonitConfig>,
  signal: AbortSignal,
): Promise<StatusAnswer> {
  const { user, address = "127.0.0.1", port } = place.config;
  const endpoint = await place.endpoint();
  const password = await place.password();
  const tls = place.tls();
  const login =
    user === undefined ? undefined : Buffer.from(`${user}:${password ?? ""}`).toString("base64");
  const options: RequestOptions = {
    ...endpoint,
    path: "/_status?format=xml",
    agent: false,
    signal,
    ...(login !== undefined && { headers: { authorization: `Basic ${login}` } }),
  };
  const response = await (tls === undefined ? askPlainly(options) : askSecurely(options, tls));
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length <= LIMIT_BYTES) continue;
    response.destroy();
    throw new OperatorError("failed", `${address}:${port}: the answer does not end`);
  }
  const date = Date.parse(response.headers.date ?? "");
  return {
    status: response.statusCode ?? 0,
    body: Buffer.concat(chunks),
    now: Math.floor((Number.isNaN(date) ? Date.now() : date) / 1000),
    where: `${address}:${port}`,
  };
}

async function askPlainly(options: RequestOptions): Promise<IncomingMessage> {
  const { get } = await import("node:http");
  return new Promise((resolve, reject) => {
    get(options, resolve).on("error", reject);
  });
}

/** The certificate is that of the server's own name, wherever the tunnel to it begins: a password goes there. */
async function askSecurely(
  options: RequestOptions,
  { serverName, ca, certificate, key }: ServiceTls,
): Promise<IncomingMessage> {
  const { get } = await import("node:https");
  const { checkServerIdentity } = await import("node:tls");
  const { isIP } = await import("node:net");
  const [caPem, certificatePem, keyPem] = await Promise.all([ca, certificate, key].map(readPem));
  return new Promise((resolve, reject) => {
    get(
      {
        ...options,
        ...(caPem && { ca: caPem }),
        ...(certificatePem && { cert: certificatePem }),
        ...(keyPem && { key: keyPem }),
        servername: isIP(serverName) ? "" : serverName,
        checkServerIdentity: (_host, presented) => checkServerIdentity(serverName, presented),
      },
      resolve,
    ).on("error", reject);
  });
}

async function readPem(path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  return readFile(path).catch((error: unknown) => {
    throw new OperatorError("access", `cannot read ${path}: ${describeError(error)}`);
  });
}
