import { describeError } from "../system/errors.ts";
import { streamThrough } from "../system/stream-through.ts";

/** Who is told: an address to which is posted, or a program with its arguments. */
export type Recipient = { webhook: string } | { command: readonly string[] };

export interface NoticeOptions {
  /** All that a command gets of variables. */
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

const TIMEOUT_MS = 5_000;
const TRIES = 3;

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
  try {
    if ("command" in recipient) await runCommand(recipient.command, body, options);
    else await post(recipient.webhook, body, options.signal);
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

async function post(address: string, body: string, signal: AbortSignal): Promise<void> {
  for (let tried = 1; ; tried++) {
    try {
      const answer = await fetch(address, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        redirect: "error",
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      await answer.body?.cancel();
      if (answer.ok) return;
      throw new Error(`the webhook answered ${answer.status}`);
    } catch (error) {
      if (tried < TRIES && !signal.aborted) continue;
      const isOurs = error instanceof Error && error.message.startsWith("the webhook answered");
      if (isOurs) throw error;
      const isLate = error instanceof Error && error.name === "TimeoutError";
      const why = isLate
        ? `it did not answer within ${TIMEOUT_MS / 1000} s`
        : "it cannot be reached";
      throw new Error(`the webhook: ${why}`, { cause: error });
    }
  }
}

async function runCommand(
  [program = "", ...args]: readonly string[],
  body: string,
  { environment, signal }: NoticeOptions,
): Promise<void> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  // oxlint-disable-next-line typescript/require-await -- an iteration of one piece
  const input = (async function* () {
    yield Buffer.from(body);
  })();
  // One that does not care to read it all has been told all the same.
  const isFailure = (code: number): boolean => code !== 0;
  for await (const _ of streamThrough(program, args, input, {
    environment,
    signal: limited,
    isFailure,
  }))
    continue;
}
