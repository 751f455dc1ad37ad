import { setTimeout as sleep } from "node:timers/promises";
import { describeError } from "../system/errors.ts";
import { feedProgram } from "../system/feed-program.ts";

/** Who is told: an address to which is posted, or a program with its arguments. */
export type Recipient = { webhook: string } | { command: readonly string[] };

export interface NoticeOptions {
  /** All that a command gets of variables. */
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

const TIMEOUT_MS = 5_000;
const TRIES = 3;
const PAUSE_MS = 300;

/**
 * Given a recipient and a document, send it as JSON. Returns why it did not arrive, or undefined; never throws, since nothing that was done depends on
 * who hears of it. The address of a webhook is a secret, and in no message.
 */
export async function sendNotice(
  recipient: Recipient,
  document: object,
  options: NoticeOptions,
): Promise<string | undefined> {
  const body = `${JSON.stringify(document)}\n`;
  const { environment, signal } = options;
  try {
    if ("webhook" in recipient) return await post(recipient.webhook, body, signal);
    const [program = "", ...args] = recipient.command;
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    await feedProgram(program, args, body, {
      environment,
      signal: AbortSignal.any([signal, limit]),
    }).catch((error: unknown) => {
      if (!limit.aborted || signal.aborted) throw error;
      throw new Error(`${program} has not ended within ${TIMEOUT_MS / 1000} s`, { cause: error });
    });
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

/** Posts once more where the server was not reached or says that it cannot now; not where it may have heard. */
async function post(
  address: string,
  body: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  let why = "";
  for (let tried = 0; tried < TRIES; tried++) {
    if (tried > 0) await sleep(PAUSE_MS, undefined, { signal });
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    try {
      const answer = await fetch(address, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        // It would carry the document to whom nobody named.
        redirect: "manual",
        signal: AbortSignal.any([signal, limit]),
      });
      // Nobody reads it, and it may never end.
      await answer.body?.cancel();
      if (answer.ok) return undefined;
      why = `the webhook answered ${answer.status}`;
      if (answer.status < 500 && answer.status !== 429) return why;
    } catch {
      signal.throwIfAborted();
      if (limit.aborted) return `the webhook has not answered within ${TIMEOUT_MS / 1000} s`;
      why = "the webhook cannot be reached";
    }
  }
  return why;
}
