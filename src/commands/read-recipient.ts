import { readFile } from "node:fs/promises";
import { expandHome } from "../config/folders.ts";
import type { NotifySettings } from "../config/notify-schema.ts";
import { readSecret } from "../config/read-secret.ts";
import type { SecretReference } from "../config/schema-fields.ts";
import type { Recipient } from "../notify/send-notice.ts";
import type { Context } from "./command.ts";

/** How grave it is: nothing is wrong, a part of it is, all of it is. */
export type NoticeLevel = "ok" | "warn" | "fail";

/**
 * Given what the configuration says of one who is told, and how grave a notice is, return the recipient, its secrets read. Throws `access` where one of
 * them cannot be had, and what the disk says of a file.
 */
export async function readRecipient(
  settings: NotifySettings,
  level: NoticeLevel,
  { environment, signal }: Context,
): Promise<Recipient> {
  if ("command" in settings) return settings;
  const read = (secret: SecretReference): Promise<string> =>
    readSecret(secret, { environment, signal });
  if ("webhook" in settings) return { webhook: await read(settings.webhook) };
  const { xmpp, mentionAll = "warn" } = settings;
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
