import type { EventEmitter } from "node:events";
import type { ClientChannel } from "ssh2";
import { OperatorError } from "../system/errors.ts";
import { classifyChannelError } from "./classify-error.ts";
import type { LinkState } from "./link.ts";

/** What is called when a channel was opened, or was not. */
type ChannelCallback<Channel> = (error: Error | undefined, channel: Channel) => void;

/** What all channels have, ssh2's and those of the `ssh` program. */
interface AnyChannel extends EventEmitter {
  stderr?: EventEmitter;
  close(): void;
}

/**
 * Given a link and the call that asks for a channel, return what `use` makes of the channel. `purpose` is the
 * `host:port` of a forward, undefined for a session. `use` is called at once: an exit code may follow in the same packet.
 * Throws the server's refusal in the operator's words, `unreachable` past `timeoutMs` (a frozen host never answers), the
 * link's end, and the signal's reason. A channel that comes too late is closed.
 */
export function openChannel<Channel extends AnyChannel = ClientChannel, T = unknown>(
  link: LinkState,
  purpose: string | undefined,
  limits: { timeoutMs: number; signal?: AbortSignal | undefined },
  ask: (callback: ChannelCallback<Channel>) => void,
  use: (channel: Channel) => T | Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    limits.signal?.throwIfAborted();
    if (!link.isOpen()) throw link.endError();
    let settled = false;
    const settle = (finish: () => void): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      limits.signal?.removeEventListener("abort", abort);
      forget();
      finish();
    };
    const abort = (): void => settle(() => reject(limits.signal?.reason));
    const timer = setTimeout(() => {
      const what = purpose === undefined ? "opening a session" : `opening a forward to ${purpose}`;
      const message = `${link.label}: no answer within ${limits.timeoutMs / 1000} s to ${what}`;
      settle(() => reject(new OperatorError("unreachable", message)));
    }, limits.timeoutMs);
    limits.signal?.addEventListener("abort", abort);
    const forget = link.onEnd(() => settle(() => reject(link.endError())));

    const answered: ChannelCallback<Channel> = (error, channel) => {
      if (!error) {
        channel.on("error", () => {});
        channel.stderr?.on("error", () => {});
        if (settled) channel.close();
        else settle(() => resolve(use(channel)));
      } else if (link.isOpen()) {
        settle(() => reject(classifyChannelError(error, link.label, purpose)));
      } else {
        settle(() => reject(link.endError()));
      }
    };
    try {
      ask(answered);
    } catch {
      // ssh2 throws on a link that is about to end; its end follows, and knows why.
    }
  });
}
