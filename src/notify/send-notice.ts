import { basename, dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describeError, errorCode } from "../system/errors.ts";
import { printable } from "../system/printable.ts";
import { feedProgram } from "../system/feed-program.ts";
import { findProgram } from "../system/program.ts";
import type { Room } from "./tell-room.ts";

/** Who is told: an address to which is posted, a program with its arguments, or a room of people. */
export type Recipient =
  | { webhook: string }
  | { command: readonly string[] }
  | { xmpp: Room; mentionAll: boolean };

/** What is told: for programs as JSON, for people its text. */
export interface Notice {
  /** What happened, in a line or some. */
  text: string;
  /** `event` and more. */
  [field: string]: unknown;
}

export interface NoticeOptions {
  /** All that a command gets of variables. */
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

const TIMEOUT_MS = 5_000;
/** A room is entered in several steps. */
const ROOM_TIMEOUT_MS = 15_000;
const TRIES = 3;
const PAUSE_MS = 300;

/**
 * Given a recipient and a notice, send it: as JSON, or to a room its text. Returns why it did not arrive, or undefined; never throws, since nothing that was done depends on
 * who hears of it. The address of a webhook is a secret, and in no message.
 */
export async function sendNotice(
  recipient: Recipient,
  notice: Notice,
  options: NoticeOptions,
): Promise<string | undefined> {
  const body = `${JSON.stringify(notice)}\n`;
  const { environment, signal } = options;
  try {
    if ("webhook" in recipient) return await post(recipient.webhook, body, signal);
    if ("xmpp" in recipient) return await say(recipient, notice.text, signal);
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

/**
 * Given a recipient, find out whether it could be told, and tell it nothing: a room is entered and left again, a program is looked for, a webhook, which
 * nobody can ask without posting, must be an address. Returns why it could not, or undefined; never throws.
 */
export async function tryRecipient(
  recipient: Recipient,
  { environment, signal }: NoticeOptions,
): Promise<string | undefined> {
  if ("webhook" in recipient)
    return URL.canParse(recipient.webhook) ? undefined : "its secret is no address";
  if ("command" in recipient) {
    const [program = ""] = recipient.command;
    const path = program.includes("/")
      ? await findProgram([basename(program)], dirname(program))
      : await findProgram([program], environment["PATH"] ?? "");
    return path === undefined ? `${program} is not installed` : undefined;
  }
  const { tryRoom } = await import("./tell-room.ts");
  return withinLimit(recipient.xmpp, signal, (limited) => tryRoom(recipient.xmpp, limited)).then(
    () => undefined,
    describeError,
  );
}

async function say(
  { xmpp, mentionAll }: { xmpp: Room; mentionAll: boolean },
  text: string,
  signal: AbortSignal,
): Promise<undefined> {
  const { tellRoom } = await import("./tell-room.ts");
  const lines = text.split("\n").map(printable).join("\n");
  await withinLimit(xmpp, signal, (limited) =>
    tellRoom(xmpp, lines, { mentionAll, signal: limited }),
  );
}

async function withinLimit(
  { room }: Room,
  signal: AbortSignal,
  visit: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const limit = AbortSignal.timeout(ROOM_TIMEOUT_MS);
  try {
    await visit(AbortSignal.any([signal, limit]));
  } catch (error) {
    if (!limit.aborted || signal.aborted) throw error;
    throw new Error(`the room ${room} has not answered within ${ROOM_TIMEOUT_MS / 1000} s`, {
      cause: error,
    });
  }
}

/** What fails so has not heard anything. */
const NOT_REACHED: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
]);

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
    } catch (error) {
      signal.throwIfAborted();
      if (limit.aborted) return `the webhook has not answered within ${TIMEOUT_MS / 1000} s`;
      const code = error instanceof Error ? errorCode(error.cause) : undefined;
      why = `the webhook cannot be reached${code === undefined ? "" : `: ${code}`}`;
      if (!NOT_REACHED.has(code ?? "")) return why;
    }
  }
  return why;
}
