import { findOpenPort } from "../reach/port-record.ts";
import { OperatorError } from "../system/errors.ts";
import { describeUrl } from "./describe-url.ts";
import { makePromise } from "../system/make-promise.ts";
import type { TunnelPlan } from "./plan-tunnels.ts";
import type { HubOptions, TunnelHub } from "./tunnel-hub.ts";
import type { TunnelEvent } from "./tunnel-status.ts";

export interface OpenTunnels {
  /** Resolves when every service has answered once; rejects when a tunnel fails before, or its service stays silent for too long. */
  ready: Promise<void>;
  /** Resolves with the reason when a tunnel has failed in a way that only the operator can mend. */
  failed: Promise<OperatorError>;
  close(): Promise<void>;
}

export interface OpenTunnelsOptions extends HubOptions {
  /** How long a service may stay silent before `ready` gives up; absent: for ever, where somebody watches. */
  silenceLimitMs?: number;
}

/**
 * Given plans, open their tunnels in a hub. Throws `refused` where one of them is open already, and what `TunnelHub.open` throws;
 * nothing of these plans stays open then.
 */
export async function openTunnels(
  hub: TunnelHub,
  plans: readonly TunnelPlan[],
  options: OpenTunnelsOptions,
): Promise<OpenTunnels> {
  for (const plan of plans) await refuseIfOpen(plan, options);
  const waited = watchEvents(plans, options);
  const tunnels = await hub.open(plans, { ...options, report: waited.report });
  waited.begin();
  return {
    ready: waited.ready,
    failed: waited.failed,
    close: async () => {
      waited.end();
      await hub.close(tunnels);
    },
  };
}

async function refuseIfOpen(plan: TunnelPlan, options: OpenTunnelsOptions): Promise<void> {
  const { name, host, target } = plan;
  const { configPath, runtimeFolder } = options;
  const open = await findOpenPort(runtimeFolder, { configPath, name, host: host.name, target });
  if (open?.port !== plan.localPort) return;
  throw new OperatorError(
    "refused",
    `the tunnel ${plan.name} is open already, by lcops (pid ${open.pid})`,
    {
      next: `use it at ${describeUrl(plan.service, plan.localPort)}; lcops tunnel close ${plan.name} ends one in the background, Ctrl-C any other`,
    },
  );
}

interface Waited {
  report: (event: TunnelEvent) => void;
  ready: Promise<void>;
  failed: Promise<OperatorError>;
  /** The limit of silence runs from here on. */
  begin: () => void;
  end: () => void;
}

function watchEvents(plans: readonly TunnelPlan[], options: OpenTunnelsOptions): Waited {
  const missing = new Map(plans.map((plan) => [plan.name, "no answer yet"]));
  let timer: NodeJS.Timeout | undefined;
  const failed = makePromise<OperatorError>();
  const ready = makePromise<void>();
  void failed.promise.then(ready.reject);
  return {
    ready: ready.promise,
    failed: failed.promise,
    report: (event) => {
      options.report(event);
      if (event.event === "ready") missing.delete(event.name);
      if (event.event === "silent" && missing.has(event.name))
        missing.set(event.name, event.detail);
      if (event.event === "failed")
        failed.resolve(
          new OperatorError("failed", event.reason, {
            ...(event.next !== undefined && { next: event.next }),
          }),
        );
      if (missing.size > 0) return;
      clearTimeout(timer);
      ready.resolve();
    },
    begin: () => {
      if (options.silenceLimitMs === undefined || missing.size === 0) return;
      timer = setTimeout(() => {
        const [name, detail] = [...missing][0] ?? ["", ""];
        const host = plans.find((plan) => plan.name === name)?.host.name ?? "";
        ready.reject(
          new OperatorError("unreachable", `${name} did not answer: ${detail}`, {
            next: `see whether it runs on ${host}`,
          }),
        );
      }, options.silenceLimitMs);
    },
    end: () => clearTimeout(timer),
  };
}
