import type { Host } from "../inventory/host.ts";
import type { Connection } from "../reach/connect-host.ts";
import { OperatorError } from "../system/errors.ts";
import {
  type ControlAnswer,
  type ControlLine,
  type ControlRequest,
  controlSocket,
} from "./control-protocol.ts";
import type { OpenTunnel } from "./open-tunnel.ts";
import { openTunnels } from "./open-tunnels.ts";
import type { TunnelPlan } from "./plan-tunnels.ts";
import { serveControl } from "./serve-control.ts";
import { makeTunnelHub } from "./tunnel-hub.ts";
import { logEvent, type LoggedEvent } from "./tunnel-log.ts";
import type { TunnelEvent } from "./tunnel-status.ts";

export type OpenRequest = Extract<ControlRequest, { ask: "open" }>;

export interface SuperviseOptions {
  runtimeFolder: string;
  stateFolder: string;
  /** Ends everything. */
  signal: AbortSignal;
  /** What a request to open means: its plans, and how to dial their hosts; `note` is told what the operator should know. */
  prepare: (request: OpenRequest, note: (line: string) => void) => Promise<Prepared>;
  /** Lookups and agents from now on are those of this caller. */
  adopt: (environment: NodeJS.ProcessEnv) => void;
  /** Called once requests are answered. */
  listening: () => void;
}

export interface Prepared {
  plans: readonly TunnelPlan[];
  dial: (host: Host, signal: AbortSignal) => Promise<Connection>;
}

/** Without a tunnel, and nobody who opens one, it ends after so long. */
const IDLE_MS = 10_000;

/** Keep the tunnels of this user until the last one is closed, or the signal; asked over the control socket. */
export async function superviseTunnels(options: SuperviseOptions): Promise<void> {
  const hub = makeTunnelHub();
  const watchers = new Set<(event: TunnelEvent) => void>();
  let busy = 0;
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  options.signal.addEventListener("abort", end);
  let idle: NodeJS.Timeout | undefined;
  const endWhenIdle = (ms: number): void => {
    clearTimeout(idle);
    idle = setTimeout(() => {
      if (busy === 0 && hub.tunnels().length === 0) end();
    }, ms);
  };

  const log = (event: LoggedEvent): void => {
    // A full disk takes the log, never the tunnel.
    logging = logging.then(() => logEvent(options.stateFolder, event)).catch(() => undefined);
  };
  let logging: Promise<void> = Promise.resolve();
  const now = (): string => new Date().toISOString();
  const find = (names: readonly string[], configPath: string): OpenTunnel[] => {
    const tunnels = hub.tunnels();
    if (names.length === 0) return [...tunnels];
    return names.map((name) => {
      const found = tunnels.find((one) => one.plan.name === name && one.configPath === configPath);
      if (found) return found;
      const known = tunnels.map((one) => one.plan.name).join(", ");
      throw new OperatorError("usage", `no tunnel ${name} is kept in the background`, {
        next: known === "" ? "open it with lcops tunnel open --detach" : `there is ${known}`,
      });
    });
  };
  const answer = (tunnels: readonly OpenTunnel[]): ControlAnswer => ({
    tunnels: tunnels.map((one) => ({
      ...one.status(),
      configPath: one.configPath,
      pid: process.pid,
    })),
  });
  /** Until the dial that is under way, or follows now, has ended in one way or the other. */
  const retry = async (tunnels: readonly OpenTunnel[]): Promise<void> => {
    const down = new Set(tunnels.filter((one) => !["up", "degraded"].includes(one.status().state)));
    if (down.size === 0) return;
    await new Promise<void>((resolve) => {
      const watch = (event: TunnelEvent): void => {
        if (!["connected", "waiting", "failed"].includes(event.event)) return;
        for (const one of down) if (one.plan.name === event.name) down.delete(one);
        if (down.size > 0) return;
        watchers.delete(watch);
        resolve();
      };
      watchers.add(watch);
      for (const one of down) hub.retry(one);
    });
  };
  const open = async (
    request: OpenRequest,
    tell: (line: ControlLine) => void,
    gone: AbortSignal,
  ): Promise<OpenTunnel[]> => {
    options.adopt(request.environment);
    const note = (text: string): void => {
      for (const name of request.names) log({ at: now(), name, event: "note", text });
    };
    const { plans, dial } = await options.prepare(request, note);
    const isKept = ({ name }: TunnelPlan): boolean =>
      hub.tunnels().some((one) => one.plan.name === name && one.configPath === request.configPath);
    const names = request.names.filter((name) =>
      plans.some((plan) => plan.name === name && isKept(plan)),
    );
    const wanted = plans.filter((plan) => !isKept(plan));
    if (names.length > 0) await retry(find(names, request.configPath));
    if (wanted.length > 0) {
      const opened = await openTunnels(hub, wanted, {
        configPath: request.configPath,
        runtimeFolder: options.runtimeFolder,
        dial,
        signal: options.signal,
        silenceLimitMs: request.silenceLimitMs,
        trace: note,
        report: (event) => {
          log({ at: now(), ...event });
          tell({ event });
          for (const watch of watchers) watch(event);
        },
      });
      const left = new Promise<never>((_, reject) => {
        gone.addEventListener("abort", () =>
          reject(new OperatorError("cancelled", "who asked for it has left")),
        );
      });
      try {
        await Promise.race([opened.ready, left]);
      } catch (error) {
        await opened.close();
        throw error;
      }
    }
    return find(request.names, request.configPath);
  };

  const server = await serveControl(
    controlSocket(options.runtimeFolder),
    async (request, tell, gone) => {
      busy++;
      try {
        switch (request.ask) {
          case "list":
            return answer(hub.tunnels());
          case "open":
            return answer(await open(request, tell, gone));
          case "retry": {
            options.adopt(request.environment);
            const tunnels = find(request.names, request.configPath);
            await retry(tunnels);
            return answer(tunnels);
          }
          case "close": {
            const tunnels = find(request.names, request.configPath);
            const last = answer(tunnels);
            await hub.close(tunnels);
            for (const { plan } of tunnels) log({ at: now(), name: plan.name, event: "closed" });
            return last;
          }
        }
      } finally {
        busy--;
        // At once after the last tunnel; a moment longer for who has only asked.
        endWhenIdle(request.ask === "list" ? IDLE_MS : 0);
      }
    },
  );
  options.listening();
  endWhenIdle(IDLE_MS);
  await ended;
  clearTimeout(idle);
  await hub.close(hub.tunnels());
  await server.close();
  await logging;
}
