import type { IncomingHttpHeaders } from "node:http";
import type { Endpoint } from "../reach/service-place.ts";
import { describeError } from "../system/errors.ts";
import type { AskOptions } from "./ask-socket.ts";
import type { ProbeResult } from "./service.ts";

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** The beginning of the body, at most `BODY_LIMIT_BYTES`. */
  body: string;
}

const BODY_LIMIT_BYTES = 64 * 1024;

/**
 * Given an endpoint and a page, ask for it by GET and hand the answer to `judge`.
 * A refused, cut or silent connection is a result that does not answer; only the aborted signal throws.
 */
export async function askHttp(
  endpoint: Endpoint,
  path: string,
  options: AskOptions,
  judge: (answer: HttpAnswer) => ProbeResult,
): Promise<ProbeResult> {
  const limit = AbortSignal.timeout(options.timeoutMs);
  try {
    return judge(
      await fetchBeginning(endpoint, path, AbortSignal.any([options.signal, limit]), options),
    );
  } catch (error) {
    options.signal.throwIfAborted();
    if (limit.aborted)
      return { answers: false, detail: `no answer within ${options.timeoutMs / 1000} s` };
    return { answers: false, detail: describeError(error) };
  }
}

async function fetchBeginning(
  endpoint: Endpoint,
  path: string,
  signal: AbortSignal,
  { tls }: Pick<AskOptions, "tls">,
): Promise<HttpAnswer> {
  // Whose certificate it is does not matter here: nothing secret is said, and whoever logs in checks it.
  const { get } = await (tls ? import("node:https") : import("node:http"));
  const options = { ...endpoint, path, signal, agent: false, rejectUnauthorized: false } as const;
  return new Promise((resolve, reject) => {
    const request = get(options, (response) => {
      let body = "";
      const finish = (): void =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
        if (body.length < BODY_LIMIT_BYTES) return;
        finish();
        request.destroy();
      });
      response.on("end", finish);
      response.on("error", reject);
    });
    request.on("error", reject);
  });
}

/** Given a status, return whether something alive gave it: a login page or a refusal is alive, a gateway's error is not. */
export function isAliveStatus(status: number): boolean {
  return status < 500;
}
