import pLimit from "p-limit";
import type { Host } from "../inventory/host.ts";
import type { Connection } from "../reach/connect-host.ts";
import { type ConnectionState, keepConnection, type KeptConnection } from "./keep-connection.ts";
import { openTunnel, type OpenTunnel } from "./open-tunnel.ts";
import type { TunnelPlan } from "./plan-tunnels.ts";
import type { TunnelEvent } from "./tunnel-status.ts";

export interface HubOptions {
  /** The configuration in force: what a name means. */
  configPath: string;
  runtimeFolder: string;
  /** Looks the host up afresh, and connects to it. */
  dial: (host: Host, signal: AbortSignal) => Promise<Connection>;
  signal: AbortSignal;
  report: (event: TunnelEvent) => void;
  trace: (line: string) => void;
}

/** The open tunnels of one process; those of one host share a connection. */
export interface TunnelHub {
  /**
   * Listen on the ports of all plans, then connect. Throws `refused` before anything is connected where a port is taken, and how
   * the first dial of a host failed; nothing of these plans stays open then.
   */
  open(plans: readonly TunnelPlan[], options: HubOptions): Promise<OpenTunnel[]>;
  tunnels(): readonly OpenTunnel[];
  /** Dial the connection of that tunnel now. */
  retry(tunnel: OpenTunnel): void;
  close(tunnels: readonly OpenTunnel[]): Promise<void>;
}

/** What one connection carries. */
interface Line {
  key: string;
  connection: KeptConnection;
  admit: (work: () => Promise<void>) => Promise<void>;
  tunnels: Set<OpenTunnel>;
  /** Tunnels that are open or being opened. */
  users: number;
}

/** More channels at a time than browsers and clients open; further sockets wait. */
const CHANNELS_PER_CONNECTION = 256;

/** Return an empty hub. */
export function makeTunnelHub(): TunnelHub {
  const lines = new Map<string, Line>();
  const lineOf = new Map<OpenTunnel, Line>();

  const takeLine = (plan: TunnelPlan, options: HubOptions): Line => {
    const key = JSON.stringify([options.configPath, plan.host.name]);
    const known = lines.get(key);
    if (known) {
      known.users++;
      return known;
    }
    const tunnels = new Set<OpenTunnel>();
    const connection = keepConnection({
      signal: options.signal,
      dial: (signal) => options.dial(plan.host, signal),
      report: (state: ConnectionState) => {
        for (const tunnel of tunnels) tunnel.follow(state);
      },
    });
    const admit = pLimit(CHANNELS_PER_CONNECTION);
    const line: Line = { key, connection, admit, tunnels, users: 1 };
    lines.set(key, line);
    return line;
  };
  const leaveLine = async (line: Line): Promise<void> => {
    if (--line.users > 0) return;
    lines.delete(line.key);
    await line.connection.close();
  };
  const close = async (tunnels: readonly OpenTunnel[]): Promise<void> => {
    for (const tunnel of tunnels) {
      const line = lineOf.get(tunnel);
      if (!line) continue;
      lineOf.delete(tunnel);
      line.tunnels.delete(tunnel);
      await tunnel.close();
      await leaveLine(line);
    }
  };

  return {
    open: async (plans, options) => {
      const opened: OpenTunnel[] = [];
      try {
        for (const plan of plans) {
          const line = takeLine(plan, options);
          const { connection, admit } = line;
          const tunnel = await openTunnel(plan, { ...options, connection, admit }).catch(
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
            await connection.start();
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
    close,
  };
}
