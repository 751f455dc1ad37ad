import { OperatorError } from "../system/errors.ts";
import { onWake } from "../system/watch-wake.ts";
import type { Link } from "./link.ts";

interface LivenessLimits {
  /** After so long without a byte the host is asked for one. */
  quietMs: number;
  /** It is dead when none has come so long after that. */
  deadMs: number;
  /** The same after this machine has slept, or its network has changed. */
  wakeMs: number;
}

const LIMITS: LivenessLimits = { quietMs: 15_000, deadMs: 45_000, wakeMs: 5_000 };

/**
 * Given a link, cut it once its host gives no sign of life; any byte is one, so a busy link is never dead.
 * Not ssh2's keepalive, which counts answers only (mscdex/ssh2#474).
 */
export function watchLiveness(link: Link, limits = LIMITS): void {
  let seen = link.receivedBytes();
  let timer: NodeJS.Timeout;
  const wait = (ms: number, then: () => void): void => {
    clearTimeout(timer);
    timer = setTimeout(then, ms).unref();
  };
  const hasSpoken = (): boolean => {
    const isNew = link.receivedBytes() !== seen;
    seen = link.receivedBytes();
    return isNew;
  };
  const watch = (): void =>
    wait(limits.quietMs, () => (hasSpoken() ? watch() : ask(limits.deadMs)));
  const ask = (limitMs: number): void => {
    hasSpoken();
    link.askForReply();
    wait(limitMs, () => {
      if (hasSpoken()) watch();
      else {
        const error = new OperatorError(
          "unreachable",
          `${link.label}: no sign of life for ${Math.round(limitMs / 1000)} s, though asked for one`,
          { next: "connect again" },
        );
        link.fail(error);
      }
    });
  };
  const forget = onWake(() => ask(limits.wakeMs));
  link.onEnd(() => {
    clearTimeout(timer);
    forget();
  });
  watch();
}
