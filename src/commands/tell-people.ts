import type { Notice } from "../notify/send-notice.ts";
import { describeError } from "../system/errors.ts";
import { printable } from "../system/printable.ts";
import type { Context } from "./command.ts";
import { type NoticeLevel, readRecipient } from "./read-recipient.ts";

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
