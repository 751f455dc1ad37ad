import { tryRecipient } from "../notify/send-notice.ts";
import { describeError } from "../system/errors.ts";
import type { Finding } from "../system/finding.ts";
import type { Context } from "./command.ts";
import { readRecipient } from "./read-recipient.ts";

/** Given a context, return for each of those whom the configuration has told whether it could be: rooms are entered, and nobody is told anything. */
export async function checkNotify(context: Context): Promise<Finding[]> {
  const { notify = {} } = await context.config();
  const environment = await context.childEnvironment();
  const { signal } = context;
  return Promise.all(
    Object.entries(notify).map(async ([name, settings]): Promise<Finding> => {
      const why = await readRecipient(settings, "ok", context)
        .then((recipient) => tryRecipient(recipient, { environment, signal }))
        .catch(describeError);
      signal.throwIfAborted();
      const finding = { area: "notify", name };
      if (why === undefined) return { ...finding, state: "ok", detail: DETAILS[kindOf(settings)] };
      return { ...finding, state: "fail", detail: why, next: `mend notify.${name}` };
    }),
  );
}

type Kind = "webhook" | "command" | "xmpp";

const kindOf = (settings: object): Kind => {
  if ("webhook" in settings) return "webhook";
  return "command" in settings ? "command" : "xmpp";
};

const DETAILS: Readonly<Record<Kind, string>> = {
  webhook: "its address is known; nothing was posted",
  command: "its program is there",
  xmpp: "its room was entered and left again",
};
