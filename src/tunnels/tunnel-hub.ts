import type { Host } from "../inventory/host.ts";
import type { Connection } from "../reach/connect-host.ts";
import { type ConnectionState, keepConnection, type KeptConnection } from "./keep-connection.ts";
import { openTunnel, type OpenTunnel } from "./open-tunnel.ts";
import type { TunnelPlan } from "./plan-tunnels.ts";
import { untilAborted } from "../system/until-aborted.ts";
import type { TunnelEvent } from "./tunnel-status.ts";

export interface HubOptions {
  /** The configuration in force: what a name means. */
  configPath: string;
  runtimeFolder: string;
  /** On whose behalf hosts are looked up; tunnels of another scope have a connection of their own. */
  scope?: string;
  /** Looks the host up afresh, and connects to it. */
  dial: (host: Host, signal: AbortSignal) => Promise<Connection>;
  /** Have `dial` look up and connect with these variables from now on. */
  adopt?: (environment: NodeJS.ProcessEnv) => void;
  /** Ends the opening; a tunnel that is open lives on. */
  signal: AbortSignal;
  report: (event: TunnelEvent) => void;
  /** Told why a connection to that tunnel was not served. */
  trace: (name: string, line: string) => void;
}

/** The open tunnels of one process; those of one host share a connection. */
export interface TunnelHub {
  /**
   * Listen on the ports of all plans, then connect; a connection that others keep and that is down is dialled at once. Throws
   * `refused` before anything is connected where a port is taken, and how the dial of a host failed; nothing of these plans stays open then.
   */
  open(plans: readonly TunnelPlan[], options: HubOptions): Promise<OpenTunnel[]>;
  tunnels(): readonly OpenTunnel[];
  /** Dial the connection of that tunnel now. */
  retry(tunnel: OpenTunnel): void;
  /** Dial it with these variables from now on. */
  adopt(tunnel: OpenTunnel, environment: NodeJS.ProcessEnv): void;
  /** Have the listener told what becomes of each tunnel's connection; returns how to take it back. */
  onChange(listener: ChangeListener): () => void;
  close(tunnels: readonly OpenTunnel[]): Promise<void>;
}

type ChangeListener = (tunnel: OpenTunnel, state: ConnectionState["state"] | "closed") => void;

/** What one connection carries. */
interface Line {
  key: string;
  connection: KeptConnection;
  adopt: (environment: NodeJS.ProcessEnv) => void;
  tunnels: Set<OpenTunnel>;
  /** Tunnels that are open or being opened. */
  users: number;
}

/** Given what ends all connections, return an empty hub. */
export function makeTunnelHub(signal: AbortSignal): TunnelHub {
  const lines = new Map<string, Line>();
  const lineOf = new Map<OpenTunnel, Line>();
  const listeners = new Set<ChangeListener>();
  const tellChange: ChangeListener = (tunnel, state) => {
    for (const listener of listeners) listener(tunnel, state);
  };

  const takeLine = (plan: TunnelPlan, options: HubOptions): Line => {
    const { configPath, scope, dial, adopt = () => {} } = options;
    const key = JSON.stringify([configPath, scope, plan.host.name]);
    const known = lines.get(key);
    if (known) {
      known.users++;
      return known;
    }
    const tunnels = new Set<OpenTunnel>();
    const connection = keepConnection({
      signal,
      dial: (dialSignal) => dial(plan.host, dialSignal),
      report: (state: ConnectionState) => {
        for (const tunnel of tunnels) {
          tunnel.follow(state);
          tellChange(tunnel, state.state);
        }
      },
    });
    const line: Line = { key, connection, adopt, tunnels, users: 1 };
    lines.set(key, line);
    return line;
  };
  const leaveLine = async (line: Line): Promise<void> => {
    if (--line.users > 0) return;
    lines.delete(line.key);
    await line.connection.close();
  };
  const close = async (tunnels: readonly OpenTunnel[]): Promise<void> => {
    const closeOne = async (tunnel: OpenTunnel): Promise<void> => {
      const line = lineOf.get(tunnel);
      if (!line) return;
      lineOf.delete(tunnel);
      line.tunnels.delete(tunnel);
      await tunnel.close();
      await leaveLine(line);
      tellChange(tunnel, "closed");
    };
    await Promise.all(tunnels.map(closeOne));
  };

  return {
    open: async (plans, options) => {
      const opened: OpenTunnel[] = [];
      try {
        for (const plan of plans) {
          const line = takeLine(plan, options);
          const { connection } = line;
          const tunnel = await openTunnel(plan, { ...options, connection }).catch(
            async (error: unknown) => {
              await leaveLine(line);
              throw error;
            },
          );
          opened.push(tunnel);
          line.tunnels.add(tunnel);
          lineOf.set(tunnel, line);
        }
        const used = new Set(opened.map((tunnel) => lineOf.get(tunnel) as Line));
        await Promise.all(
          [...used].map(async ({ connection, tunnels }) => {
            const { current } = connection.status();
            // One that others use already is told once more, for those that have just come.
            if (current.state === "up")
              for (const tunnel of tunnels) if (opened.includes(tunnel)) tunnel.follow(current);
            await Promise.race([connection.start(), untilAborted(options.signal)]);
          }),
        );
        return opened;
      } catch (error) {
        await close(opened);
        throw error;
      }
    },
    tunnels: () => [...lineOf.keys()],
    retry: (tunnel) => lineOf.get(tunnel)?.connection.retry(),
    adopt: (tunnel, environment) => lineOf.get(tunnel)?.adopt(environment),
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close,
  };
}
