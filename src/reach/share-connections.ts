import pLimit from "p-limit";
import { findHost } from "../inventory/select-hosts.ts";
import { connectHost, type Connection, type ReachOptions } from "./connect-host.ts";

/** Connections to hosts, one a host, for all that is asked through it. */
export interface SharedConnections {
  /** Made when it is first asked for; who asks later has the same, or the same failure. Errors: those of `connectHost`. */
  connect(host: string): Promise<Connection>;
  /** Forget those that were lost or could not be made, so that the next one who asks makes them anew. */
  forgetLost(): Promise<void>;
  close(): Promise<void>;
}

/** sshd begins to drop connections at ten that have not logged in yet (sshd_config(5), MaxStartups). */
const AT_ONCE = 8;

/** Given how hosts are reached, return connections that are shared by whoever asks for them. */
export function shareConnections(options: ReachOptions): SharedConnections {
  const limit = pLimit(AT_ONCE);
  const made = new Map<string, Promise<Connection>>();
  return {
    connect: (name) => {
      const known = made.get(name);
      if (known) return known;
      const making = limit(() => connectHost(findHost(options.hosts, name), options));
      // Whoever waits for it hears it.
      making.catch(() => undefined);
      made.set(name, making);
      return making;
    },
    forgetLost: async () => {
      for (const [name, making] of made) {
        const connection = await making.catch(() => undefined);
        if (!connection?.isOpen()) made.delete(name);
      }
    },
    close: async () => {
      for (const making of made.values()) await (await making.catch(() => undefined))?.close();
    },
  };
}
