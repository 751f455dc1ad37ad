import pLimit from "p-limit";
import { findHost } from "../inventory/select-hosts.ts";
import { connectHost, type Connection, type ReachOptions } from "./connect-host.ts";

/** Connections to hosts, one a host, for all that is asked through it. */
export interface SharedConnections {
  /** Made when it is first asked for, and anew once it was lost; who asks later has the same, or the same failure. Errors: those of `connectHost`. */
  connect(host: string): Promise<Connection>;
  /** Forget that the connection to this host could not be made: the next one who asks tries again. One that is on its way is left. */
  forgetFailure(host: string): void;
  close(): Promise<void>;
}

/** sshd begins to drop connections at ten that have not logged in yet (sshd_config(5), MaxStartups). */
const AT_ONCE = 8;

interface Shared {
  making: Promise<Connection>;
  /** Once it is made. */
  connection?: Connection;
  hasFailed: boolean;
}

/** Given how hosts are reached, return connections that are shared by whoever asks for them. */
export function shareConnections(options: ReachOptions): SharedConnections {
  const limit = pLimit(AT_ONCE);
  const made = new Map<string, Shared>();
  return {
    connect: (name) => {
      const known = made.get(name);
      if (known && known.connection?.isOpen() !== false) return known.making;
      const making = limit(() => connectHost(findHost(options.hosts, name), options));
      const shared: Shared = { making, hasFailed: false };
      made.set(name, shared);
      // Whoever waits for it hears it.
      making.then(
        (connection) => (shared.connection = connection),
        () => (shared.hasFailed = true),
      );
      return making;
    },
    forgetFailure: (name) => {
      if (made.get(name)?.hasFailed) made.delete(name);
    },
    close: async () => {
      for (const { making } of made.values()) await (await making.catch(() => undefined))?.close();
    },
  };
}
