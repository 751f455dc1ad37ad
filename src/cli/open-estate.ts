import type { Context } from "../commands/command.ts";
import type { Folders } from "../config/folders.ts";
import type { Config } from "../config/schema.ts";
import { readSshHosts } from "../config/ssh-hosts.ts";
import type { Host } from "../inventory/host.ts";
import type { Lookup } from "../inventory/look-up-address.ts";
import { mergeHosts } from "../inventory/merge-hosts.ts";
import { planScopes, type ScopeWishes } from "../inventory/plan-scopes.ts";
import { findHost } from "../inventory/select-hosts.ts";
import { OperatorError } from "../system/errors.ts";
import { printable } from "../system/printable.ts";
import type { Terminal } from "../terminal/terminal.ts";

export interface EstateParts {
  config: () => Promise<Config>;
  wishes: ScopeWishes;
  folders: Folders;
  environment: NodeJS.ProcessEnv;
  terminal: Terminal;
  signal: AbortSignal;
}

export interface Estate extends Pick<Context, "hosts" | "inventory" | "findHost"> {
  /** As `hosts`, of every environment. */
  allHosts: () => Promise<Host[]>;
  lookUp: (host: Host) => Promise<Lookup>;
}

/** Given what the command line says, return the ways to the inventory; nothing is read or asked before one of them is taken. */
export function openEstate(parts: EstateParts): Estate {
  const { config, wishes, folders, environment, signal, terminal } = parts;
  const isWanted = (host: Host): boolean =>
    wishes.environment === undefined || host.environment === wishes.environment;
  const access = { cacheFolder: folders.cache, environment, signal };

  const allHosts = async (): Promise<Host[]> => {
    const loaded = await config();
    return mergeHosts(loaded.hosts, [], readSshHosts(loaded.ssh?.configFile));
  };
  const hosts = async (): Promise<Host[]> => (await allHosts()).filter(isWanted);

  const inventory: Estate["inventory"] = async (freshness) => {
    const { loadInventory } = await import("../inventory/load-inventory.ts");
    const loaded = await config();
    const found = await loadInventory(loaded, {
      ...access,
      scopes: planScopes(loaded, wishes),
      freshness,
    });
    return { ...found, hosts: found.hosts.filter(isWanted) };
  };

  return {
    allHosts,
    hosts,
    inventory,
    findHost: async (selector) => {
      const known = await hosts();
      const exact = known.find((host) => host.name === selector);
      if (exact || planScopes(await config(), wishes).length === 0)
        return exact ?? findHost(known, selector);
      const { hosts: all, gaps } = await inventory("refresh");
      try {
        return findHost(all, selector);
      } catch (error) {
        if (!(error instanceof OperatorError) || gaps.length === 0) throw error;
        throw new OperatorError("unreachable", `${error.message}, as far as it can be seen`, {
          next: "mend what is named below, or leave it out with --region",
          details: gaps.map((gap) => gap.error.message),
          cause: error,
        });
      }
    },
    lookUp: async (host) => {
      const { lookUpAddress } = await import("../inventory/look-up-address.ts");
      const { noticeInstance } = await import("../inventory/notice-instance.ts");
      const { checkAccount } = await import("../inventory/load-inventory.ts");
      // A jump host may stand in another environment than the one of --env.
      const { environment: _any, ...elsewhere } = wishes;
      const lookup = await lookUpAddress(host, {
        scopes: planScopes(await config(), elsewhere),
        checkAccount: (scope) => checkAccount(scope, access),
        access: { environment, signal },
        namedInSsh: new Set(
          readSshHosts((await config()).ssh?.configFile).flatMap(({ name, hostName }) =>
            hostName === undefined ? [] : [name],
          ),
        ),
      });
      const news = await noticeInstance(folders.state, host.name, lookup);
      if (news !== undefined) terminal.warn(printable(news));
      return lookup;
    },
  };
}
