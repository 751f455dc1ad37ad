import type { OpenTunnel } from "./open-tunnel.ts";
import type { TunnelHub } from "./tunnel-hub.ts";

/**
 * Given tunnels of a hub, dial those that are down now, and return once each of them is up, waits for its next try, has failed, or is
 * closed; or once the asker has gone.
 */
export function waitUntilSettled(
  hub: TunnelHub,
  tunnels: readonly OpenTunnel[],
  gone: AbortSignal,
): Promise<void> {
  const isUp = (one: OpenTunnel): boolean => ["up", "degraded"].includes(one.status().state);
  const open = new Set(tunnels.filter((one) => !isUp(one)));
  if (open.size === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      gone.removeEventListener("abort", end);
      forget();
      resolve();
    };
    const forget = hub.onChange((tunnel, state) => {
      if (state !== "connecting") open.delete(tunnel);
      if (open.size === 0) end();
    });
    gone.addEventListener("abort", end);
    if (gone.aborted) end();
    else for (const one of open) hub.retry(one);
  });
}
