import { isDeepStrictEqual } from "node:util";
import type { Host } from "../inventory/host.ts";
import type { Connection } from "../reach/connect-host.ts";
import { OperatorError } from "../system/errors.ts";
import { untilAborted } from "../system/until-aborted.ts";
import type { ControlLine, ControlRequest } from "./control-protocol.ts";
import { openTunnels } from "./open-tunnels.ts";
import type { TunnelPlan } from "./plan-tunnels.ts";
import type { TunnelHub } from "./tunnel-hub.ts";
import type { TunnelEvent } from "./tunnel-status.ts";

export type OpenRequest = Extract<ControlRequest, { ask: "open" }>;

/** What a request to open means: its plans, and how their hosts are dialled. */
export interface Prepared {
  plans: readonly TunnelPlan[];
  dial: (host: Host, signal: AbortSignal) => Promise<Connection>;
  /** From now on lookups and agents are those of this caller. */
  adopt: (environment: NodeJS.ProcessEnv) => void;
}

/** Tunnels that were asked for together. Whoever asks for one of them before they are ready waits with the first. */
export interface TunnelGroup {
  configPath: string;
  names: ReadonlySet<string>;
  /** Resolves when they are ready; rejects as opening them did, or when the asker leaves. They go when the last one leaves before. */
  join(tell: (line: ControlLine) => void, gone: AbortSignal): Promise<void>;
  /** Throws `refused` where that tunnel stands for something else than a request wants. */
  refuseOther(request: OpenRequest, name: string): void;
  /** A tunnel of it is closed. */
  leave(name: string): void;
}

export interface GroupOptions {
  runtimeFolder: string;
  signal: AbortSignal;
  prepare: (request: OpenRequest, note: (line: string) => void) => Promise<Prepared>;
  log: (event: TunnelEvent | { name: string; event: "note"; text: string }) => void;
  /** Called when nothing of it is left. */
  left: () => void;
}

/** Given a request, open its tunnels in a hub. */
export function openGroup(
  hub: TunnelHub,
  request: OpenRequest,
  options: GroupOptions,
): TunnelGroup {
  const { configPath, wishes } = request;
  const names = new Set(request.names);
  const tells = new Set<(line: ControlLine) => void>();
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  let isReady = false;

  const open = async (): Promise<void> => {
    const note = (text: string): void => {
      for (const name of names) options.log({ name, event: "note", text });
    };
    const { plans, dial, adopt } = await options.prepare(request, note);
    const opened = await openTunnels(hub, plans, {
      configPath,
      runtimeFolder: options.runtimeFolder,
      scope: JSON.stringify(wishes),
      dial,
      adopt,
      signal,
      silenceLimitMs: request.silenceLimitMs,
      trace: (name, text) => options.log({ name, event: "note", text }),
      report: (event) => {
        options.log(event);
        for (const tell of tells) tell({ event });
      },
    });
    try {
      await Promise.race([opened.ready, untilAborted(signal)]);
      isReady = true;
    } catch (error) {
      await opened.close();
      throw error;
    }
  };
  // Behind the return: `left` may be called at once.
  const ready = Promise.resolve()
    .then(open)
    .catch((error: unknown) => {
      options.left();
      throw error;
    });
  ready.catch(() => undefined);
  return {
    configPath,
    names,
    join: async (tell, gone) => {
      tells.add(tell);
      try {
        await Promise.race([ready, untilAborted(gone)]);
      } finally {
        tells.delete(tell);
        if (!isReady && tells.size === 0) {
          stop.abort(new OperatorError("cancelled", "nobody waits for it any more"));
          // What is under way is undone before the supervisor counts its tunnels.
          await ready.catch(() => undefined);
        }
      }
    },
    refuseOther: (other, name) => {
      if (isDeepStrictEqual(other.wishes, wishes)) return;
      throw new OperatorError("refused", `the tunnel ${name} is kept for other flags`, {
        next: `lcops tunnel close ${name}, then open it with other --env, --profile or --region`,
      });
    },
    leave: (name) => {
      names.delete(name);
      // Not by whoever waits for it, who is to be told.
      if (!isReady)
        stop.abort(new OperatorError("failed", `the tunnel ${name} was closed meanwhile`));
      if (names.size === 0) options.left();
    },
  };
}
