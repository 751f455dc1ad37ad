import { OperatorError } from "../system/errors.ts";
import {
  type ControlAnswer,
  type ControlLine,
  type ControlRequest,
  controlSocket,
} from "./control-protocol.ts";
import type { OpenTunnel } from "./open-tunnel.ts";
import { type OpenRequest, openGroup, type Prepared, type TunnelGroup } from "./tunnel-group.ts";
import { serveControl } from "./serve-control.ts";
import { makeTunnelHub } from "./tunnel-hub.ts";
import { logEvent, type LoggedEvent } from "./tunnel-log.ts";
import { waitUntilSettled } from "./wait-until-settled.ts";

export interface SuperviseOptions {
  runtimeFolder: string;
  stateFolder: string;
  /** Ends everything. */
  signal: AbortSignal;
  /** What a request to open means; `note` is told what the operator should know. */
  prepare: (request: OpenRequest, note: (line: string) => void) => Promise<Prepared>;
  /** Called once requests are answered. */
  listening: () => void;
}

/** Without a tunnel, and nobody who opens one, it ends after so long. */
const IDLE_MS = 10_000;

/** Keep the tunnels of this user until the last one is closed, or the signal; asked over the control socket. */
export async function superviseTunnels(options: SuperviseOptions): Promise<void> {
  const hub = makeTunnelHub(options.signal);
  const groups = new Set<TunnelGroup>();
  let logging: Promise<void> = Promise.resolve();
  const log = (configPath: string, event: LoggedEvent): void => {
    // A full disk takes the log, never the tunnel.
    logging = logging
      .then(() => logEvent(options.stateFolder, configPath, event))
      .catch(() => undefined);
  };
  const now = (): string => new Date().toISOString();

  let busy = 0;
  let idle: NodeJS.Timeout | undefined;
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  options.signal.addEventListener("abort", end);
  const endWhenIdle = (ms: number): void => {
    clearTimeout(idle);
    idle = setTimeout(() => {
      if (busy === 0 && hub.tunnels().length === 0) end();
    }, ms);
  };

  const groupOf = (name: string, configPath: string): TunnelGroup | undefined =>
    [...groups].find((one) => one.configPath === configPath && one.names.has(name));
  const find = (names: readonly string[], configPath: string): OpenTunnel[] => {
    const tunnels = hub.tunnels();
    if (names.length === 0) return [...tunnels];
    return names.map((name) => {
      const found = tunnels.find((one) => one.plan.name === name && one.configPath === configPath);
      if (found) return found;
      throw new OperatorError("usage", `no tunnel ${name} is kept in the background`, {
        next: adviseMissing(name, configPath),
      });
    });
  };
  const adviseMissing = (name: string, configPath: string): string => {
    const tunnels = hub.tunnels();
    const known = tunnels.filter((one) => one.configPath === configPath);
    if (known.length > 0) return `there is ${known.map((one) => one.plan.name).join(", ")}`;
    const other = tunnels.find((one) => one.plan.name === name);
    if (!other) return "open it with lcops tunnel open --detach";
    return `there is one of another configuration: --config ${other.configPath}`;
  };
  const describe = (tunnels: readonly OpenTunnel[]): ControlAnswer => ({
    tunnels: tunnels.map((one) => ({
      ...one.status(),
      configPath: one.configPath,
      pid: process.pid,
    })),
  });

  const open = async (
    request: OpenRequest,
    tell: (line: ControlLine) => void,
    gone: AbortSignal,
  ): Promise<OpenTunnel[]> => {
    const { configPath } = request;
    const isMissing = (name: string): boolean => !groupOf(name, configPath);
    const missing = request.names.filter(isMissing);
    for (const name of request.names) groupOf(name, configPath)?.refuseOther(request, name);
    if (missing.length > 0) {
      const group = openGroup(
        hub,
        { ...request, names: missing },
        {
          ...options,
          log: (event) => log(configPath, { at: now(), ...event }),
          left: () => groups.delete(group),
        },
      );
      groups.add(group);
    }
    const wanted = new Set(request.names.map((name) => groupOf(name, configPath)));
    await Promise.all([...wanted].map(async (group) => group?.join(tell, gone)));
    const tunnels = find(request.names, configPath);
    // Kept already, and down: it is tried at once.
    await waitUntilSettled(hub, tunnels, gone);
    return tunnels;
  };
  const close = async (tunnels: readonly OpenTunnel[]): Promise<void> => {
    for (const { plan, configPath } of tunnels) groupOf(plan.name, configPath)?.leave(plan.name);
    await hub.close(tunnels);
    for (const { plan, configPath } of tunnels)
      log(configPath, { at: now(), name: plan.name, event: "closed" });
  };
  const answer = async (
    request: ControlRequest,
    tell: (line: ControlLine) => void,
    gone: AbortSignal,
  ): Promise<ControlAnswer> => {
    switch (request.ask) {
      case "list":
        return describe(hub.tunnels());
      case "open":
        return describe(await open(request, tell, gone));
      case "retry": {
        const tunnels = find(request.names, request.configPath);
        for (const one of tunnels) hub.adopt(one, request.environment);
        await waitUntilSettled(hub, tunnels, gone);
        return describe(tunnels.filter((one) => hub.tunnels().includes(one)));
      }
      case "close": {
        const tunnels = find(request.names, request.configPath);
        const last = describe(tunnels);
        await close(tunnels);
        return last;
      }
    }
  };

  const path = controlSocket(options.runtimeFolder);
  const server = await serveControl(path, async (request, tell, gone) => {
    busy++;
    try {
      return await answer(request, tell, gone);
    } finally {
      busy--;
      // At once after the last tunnel; a moment longer for who has only asked.
      endWhenIdle(request.ask === "list" ? IDLE_MS : 0);
    }
  });
  options.listening();
  endWhenIdle(IDLE_MS);
  await ended;
  clearTimeout(idle);
  // First, so that nobody is answered whose tunnel would be left behind.
  await server.close();
  await hub.close(hub.tunnels());
  await logging;
}
