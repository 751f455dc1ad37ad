import type { Socket } from "node:net";
import type { Endpoint } from "../reach/service-place.ts";
import { describeError } from "../system/errors.ts";
import type { ProbeLimits, ProbeResult } from "./service.ts";

export interface AskOptions extends ProbeLimits {
  /** Whether it is spoken to over TLS. */
  tls?: boolean;
}

/** No greeting or first answer is longer. */
const ANSWER_LIMIT_BYTES = 16 * 1024;

/**
 * Given an endpoint, connect, send `question` if there is one, and hand what has arrived so far to `judge` until it returns a result.
 * A refused, cut or silent connection is a result that does not answer; only the aborted signal throws.
 */
export async function askSocket(
  endpoint: Endpoint,
  question: string | undefined,
  options: AskOptions,
  judge: (answer: Buffer) => ProbeResult | undefined,
): Promise<ProbeResult> {
  options.signal.throwIfAborted();
  const connect = await (options.tls ? loadTls() : loadPlain());
  options.signal.throwIfAborted();
  const socket = connect(endpoint);
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => undefined;
  try {
    return await new Promise<ProbeResult>((resolve, reject) => {
      let answer = Buffer.alloc(0);
      const fail = (detail: string): void => resolve({ answers: false, detail });
      onAbort = () => reject(options.signal.reason);
      options.signal.addEventListener("abort", onAbort, { once: true });
      // Of the whole, not of silence: a server that drips must not hold it for ever.
      timer = setTimeout(
        () => fail(`no answer within ${options.timeoutMs / 1000} s`),
        options.timeoutMs,
      );
      if (question !== undefined) socket.write(question);
      socket.on("data", (chunk: Buffer) => {
        answer = Buffer.concat([answer, chunk]);
        const result = judge(answer);
        if (result) resolve(result);
        else if (answer.length > ANSWER_LIMIT_BYTES) fail("it answers in another protocol");
      });
      socket.on("error", (error) => fail(describeError(error)));
      socket.on("close", () => fail("the connection was closed without an answer"));
    });
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener("abort", onAbort);
    socket.destroy();
  }
}

type Connect = (endpoint: Endpoint) => Socket;

async function loadPlain(): Promise<Connect> {
  const { connect } = await import("node:net");
  return ({ host, port }) => connect(port, host);
}

/** Whose certificate it is does not matter here: nothing secret is said, and whoever logs in checks it. */
async function loadTls(): Promise<Connect> {
  const { connect } = await import("node:tls");
  return (endpoint) => connect({ ...endpoint, rejectUnauthorized: false });
}
