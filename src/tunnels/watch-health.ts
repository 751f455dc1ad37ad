import { serviceTypeOf } from "../services/registry.ts";
import type { ProbeResult } from "../services/service.ts";
import type { TunnelPlan } from "./plan-tunnels.ts";

interface Health extends ProbeResult {
  at: Date;
}

export interface HealthOptions {
  signal: AbortSignal;
  /** Whether there is a connection to ask through; once there is a new one, `poke`. */
  isUp: () => boolean;
  /** Bytes that have come from the service: while they grow nobody needs to ask. */
  receivedBytes: () => number;
  /** Why the host did not connect to the service when it was last asked to; undefined where it did. Through the tunnel that is a reset only. */
  refusal: () => string | undefined;
  /** Told of the first answer, of each change between answering and silence, and of a silence with another reason. */
  report: (health: Health) => void;
}

export interface HealthWatch {
  health(): Health | undefined;
  /** Ask now. */
  poke(): void;
}

const PROBE_TIMEOUT_MS = 10_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 10_000;
const IDLE_MS = 30_000;
/** One bad answer may be chance. */
const BAD_IN_A_ROW = 2;

/** Given an open tunnel's plan, ask its service in its own protocol, through the tunnel, until the signal: at once, and then while it is idle. */
export function watchHealth(plan: TunnelPlan, options: HealthOptions): HealthWatch {
  const { signal, isUp, receivedBytes, refusal, report } = options;
  let health: Health | undefined;
  let bad = 0;
  let wake = (): void => {};
  let isPoked = false;
  /** Returns whether it was poked; without a time until it is. */
  const pause = (ms?: number): Promise<boolean> =>
    new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(() => end(false), ms);
      const end = (poked: boolean): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        // A poke from now on is for the next pause.
        wake = () => {};
        isPoked = false;
        resolve(poked);
      };
      wake = () => end(true);
      signal.addEventListener("abort", wake);
      if (isPoked || signal.aborted) wake();
    });
  const take = (result: ProbeResult): void => {
    bad = result.answers ? 0 : bad + 1;
    if (health?.answers && !result.answers && bad < BAD_IN_A_ROW) return;
    const isNews =
      health?.answers !== result.answers || (!result.answers && health.detail !== result.detail);
    health = { ...result, at: new Date() };
    if (isNews) report(health);
  };
  const watch = async (): Promise<void> => {
    const { probe, isAskedWhileIdle } = serviceTypeOf(plan.service.kind);
    while (!signal.aborted) {
      if (!isUp()) {
        await pause();
        continue;
      }
      const result = await probe({ host: "127.0.0.1", port: plan.localPort }, plan.service, {
        timeoutMs: PROBE_TIMEOUT_MS,
        signal,
      });
      // What a lost connection makes fail says nothing of the service.
      if (!isUp()) continue;
      take(result.answers ? result : { ...result, detail: refusal() ?? result.detail });
      if (bad > 0)
        await pause(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(bad - 1, 10)));
      else {
        let received: number;
        do received = receivedBytes();
        while (
          !(await pause(isAskedWhileIdle ? IDLE_MS : undefined)) &&
          received !== receivedBytes()
        );
      }
    }
  };
  // A probe throws nothing but the signal's reason.
  watch().catch(() => undefined);
  return {
    health: () => health,
    poke: () => {
      isPoked = true;
      wake();
    },
  };
}
