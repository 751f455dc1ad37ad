import type { Config } from "../config/schema.ts";
import type { Notice, Recipient } from "../notify/send-notice.ts";
import { describeError } from "../system/errors.ts";
import { printable } from "../system/printable.ts";
import type { Context } from "./command.ts";

/** How grave it is: nothing is wrong, a part of it is, all of it is. */
export type NoticeLevel = "ok" | "warn" | "fail";

type Settings = NonNullable<Config["notify"]>[string];

/**
 * Given whom to tell (names of `notify`) and a notice about something, tell them, each as its `when` says. Returns whether anybody has heard who was to; that
 * somebody did not is said on stderr, and changes nothing.
 */
export async function tellPeople(
  names: readonly string[],
  { about, level, ...notice }: Notice & { about: string; level: NoticeLevel; isOver?: boolean },
  context: Context,
): Promise<boolean> {
  const { notify = {} } = await context.config();
  let isHeard = false;
  for (const name of names) {
    const settings = notify[name];
    // That trouble is over is for all who heard of it.
    const isWished = level !== "ok" || notice.isOver === true || settings?.when === "always";
    if (!settings || !isWished) continue;
    const failure = await (async () => {
      const { sendNotice } = await import("../notify/send-notice.ts");
      const recipient = await readRecipient(settings, level, context);
      const at = new Date().toISOString();
      return sendNotice(
        recipient,
        { ...notice, text: notice.text, at, level },
        { environment: await context.childEnvironment(), signal: context.signal },
      );
    })().catch(describeError);
    if (failure === undefined) isHeard = true;
    else context.terminal.warn(printable(`lcops: ${about}: ${name} was not told: ${failure}`));
  }
  return isHeard;
}

async function readRecipient(
  settings: Settings,
  level: NoticeLevel,
  { environment, signal }: Context,
): Promise<Recipient> {
  if ("command" in settings) return settings;
  const { readSecret } = await import("../config/read-secret.ts");
  const read = (secret: Parameters<typeof readSecret>[0]): Promise<string> =>
    readSecret(secret, { environment, signal });
  if ("webhook" in settings) return { webhook: await read(settings.webhook) };
  const { xmpp, mentionAll = "warn" } = settings;
  const { readFile } = await import("node:fs/promises");
  const { expandHome } = await import("../config/folders.ts");
  return {
    mentionAll: level === "fail" ? mentionAll !== "never" : level === mentionAll,
    xmpp: {
      ...xmpp,
      nick: xmpp.nick ?? "lcops",
      password: await read(xmpp.password),
      roomPassword: xmpp.roomPassword && (await read(xmpp.roomPassword)),
      ca: xmpp.ca && (await readFile(expandHome(xmpp.ca), "utf8")),
    },
  };
}
