import type { Context } from "../commands/command.ts";
import type { Folders } from "../config/folders.ts";
import type { Config } from "../config/schema.ts";
import { readSshHosts } from "../config/ssh-hosts.ts";
import type { Host } from "../inventory/host.ts";
import type { Inventory } from "../inventory/load-inventory.ts";
import type { Lookup } from "../inventory/look-up-address.ts";
import type { HostKeyProof } from "../inventory/prove-host-key.ts";
import { mergeHosts } from "../inventory/merge-hosts.ts";
import { planScopes, readRegions, type ScopeWishes } from "../inventory/plan-scopes.ts";
import { findHost } from "../inventory/select-hosts.ts";
import { describeError, OperatorError } from "../system/errors.ts";
import { printable } from "../system/printable.ts";
import type { Terminal } from "../terminal/terminal.ts";

export interface EstateParts {
  config: () => Promise<Config>;
  wishes: ScopeWishes;
  folders: Folders;
  configPath: string;
  environment: NodeJS.ProcessEnv;
  terminal: Terminal;
  signal: AbortSignal;
}

export interface Estate extends Pick<Context, "hosts" | "inventory" | "findHost"> {
  /** As `hosts`, of every environment. */
  allHosts: () => Promise<Host[]>;
  lookUp: (host: Host) => Promise<Lookup>;
  proveHostKey: (lookup: Lookup) => Promise<HostKeyProof>;
  /** To be told of a host that was looked up once its host key is verified: from then on its name stands for that instance. */
  reached: (name: string) => Promise<void>;
}

/** One lookup, the account's check and all retries together. */
const LOOK_UP_LIMIT_MS = 30_000;

/** Given what the command line says, return the ways to the inventory; nothing is read or asked before one of them is taken. */
export function openEstate(parts: EstateParts): Estate {
  const { config, wishes, folders, environment, signal, terminal } = parts;
  const isWanted = (host: Host): boolean =>
    wishes.environment === undefined || host.environment === wishes.environment;
  const access = { cacheFolder: folders.cache, environment, signal };
  const lookedUp = new Map<string, Lookup>();
  const memory = { stateFolder: folders.state, configPath: parts.configPath };

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
    const unasked = wishes.region === undefined ? findUnasked(loaded, wishes.environment) : [];
    const configured = loaded.environments ?? {};
    const regions = wishes.region === undefined ? undefined : readRegions(wishes.region);
    const isThere = ({ region }: Host): boolean =>
      region === undefined || regions === undefined || regions.includes(region);
    // Only the profiles of that environment were asked: what their tags call otherwise is its, unless it is another one's.
    const isSeen = (host: Host): boolean =>
      host.instanceId !== undefined && !Object.hasOwn(configured, host.environment ?? "");
    return {
      ...found,
      gaps: [...found.gaps, ...unasked],
      hosts: found.hosts.filter(
        (host) =>
          isThere(host) && (isWanted(host) || (host.sources[0] !== "config" && isSeen(host))),
      ),
    };
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
      // An instance id stands for one machine; of a name nobody knows that while instances cannot be seen.
      const isSure = gaps.every(({ hidesInstances }) => !hidesInstances);
      const isThere = all.some(
        ({ name, instanceId }) => instanceId === selector || (isSure && name === selector),
      );
      if (gaps.length === 0 || isThere) return findHost(all, selector);
      throw new OperatorError(
        "unreachable",
        `${selector} is looked for in AWS, and a part of it cannot be seen`,
        {
          next: "mend what is named below, or leave it out with --region",
          details: gaps.map((gap) => gap.error.message),
        },
      );
    },
    proveHostKey: async (lookup) => {
      const { proveHostKey } = await import("../inventory/prove-host-key.ts");
      return proveHostKey(lookup, { environment, signal });
    },
    lookUp: async (host) => {
      const { lookUpAddress } = await import("../inventory/look-up-address.ts");
      const { noticeInstance } = await import("../inventory/notice-instance.ts");
      const { checkAccount } = await import("../inventory/load-inventory.ts");
      // A jump host may stand in another environment than the one of --env.
      const { environment: _any, ...everywhere } = wishes;
      const elsewhere = wishes.profile === undefined ? everywhere : wishes;
      const lookup = await lookUpAddress(host, {
        scopes: planScopes(await config(), elsewhere),
        checkAccount: (scope) => checkAccount(scope, access),
        access: {
          environment,
          signal: AbortSignal.any([signal, AbortSignal.timeout(LOOK_UP_LIMIT_MS)]),
        },
        namedInSsh: new Set(
          readSshHosts((await config()).ssh?.configFile).flatMap(({ name, hostName }) =>
            hostName === undefined ? [] : [name],
          ),
        ),
      });
      // Machines that nobody named in the configuration come and go under one name.
      if (host.sources[0] !== "config") return lookup;
      lookedUp.set(host.name, lookup);
      const news = await noticeInstance(memory, host.name, lookup);
      if (news !== undefined) terminal.warn(printable(news));
      return lookup;
    },
    reached: async (name) => {
      const lookup = lookedUp.get(name);
      if (!lookup) return;
      lookedUp.delete(name);
      const { rememberInstance } = await import("../inventory/notice-instance.ts");
      await rememberInstance(memory, name, lookup).catch((error: unknown) =>
        terminal.warn(
          printable(`${name}: cannot remember which instance it is: ${describeError(error)}`),
        ),
      );
    },
  };
}

/** Environments that have a profile and no region: AWS has machines of theirs that nobody asks for. */
function findUnasked(config: Config, wanted: string | undefined): Inventory["gaps"] {
  return Object.entries(config.environments ?? {}).flatMap(([name, { aws }]) => {
    const isUnasked = aws && !aws.regions?.length && (wanted === undefined || wanted === name);
    if (!isUnasked) return [];
    const error = new OperatorError(
      "configuration",
      `the environment ${name} has no regions in the configuration`,
      {
        next: "give it regions, or name them with --region",
      },
    );
    return [{ error, lost: "its hosts are missing below", hidesInstances: true }];
  });
}
