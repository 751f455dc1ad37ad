import { NAME } from "../config/name.ts";
import { resolveSshSettings, type SshSettings } from "../config/ssh-settings.ts";
import { OperatorError } from "../system/errors.ts";
import type { Host } from "./host.ts";
import type { Lookup } from "./look-up-address.ts";
import type { HostKeyProof } from "./prove-host-key.ts";
import { findHost } from "./select-hosts.ts";

/** Where a machine is now and how the user logs in there: all that a connection needs to know. */
export interface Location {
  name: string;
  address: string;
  port: number;
  user: string;
  /** Of an instance. */
  identity?: {
    /** Its id. */
    name: string;
    /** lcops' own file of host keys. */
    knownHostsFile: string;
    launchedAt?: string;
    proveHostKey: () => Promise<HostKeyProof>;
  };
  hostKeyAlias?: string;
  identityFiles: readonly string[];
  identitiesOnly: boolean;
  agentSocket?: string;
  knownHostsFiles: readonly string[];
  proxyCommand?: string;
  /** What only the `ssh` program can use of the user's settings. */
  forProgram?: NonNullable<SshSettings["forProgram"]>;
}

export interface LocateOptions {
  hosts: readonly Host[];
  /** Instead of the user's ~/.ssh/config. */
  configFile?: string;
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** Where a host is at this moment; see `lookUpAddress`. */
  lookUp: (host: Host) => Promise<Lookup>;
  /** How instances are known again whatever their address is; absent: a machine is known by its address. */
  hostKeys?: {
    /** lcops' own known_hosts file. */
    knownHostsFile: string;
    /** What AWS says of the host keys of an instance; see `proveHostKey`. */
    prove: (lookup: Lookup) => Promise<HostKeyProof>;
  };
  /** Told what the operator should know, e.g. that the ssh settings were read only in part. */
  note: (line: string) => void;
}

/**
 * Given a host, return the machines on the way to it, outermost first, the host itself last. Looked up afresh at each call.
 * lcops' own configuration wins over the user's ssh settings. Throws `configuration` where it has no address that can be had.
 */
export async function locateHost(
  host: Host,
  options: LocateOptions,
  way: readonly string[] = [],
): Promise<[Location, ...Location[]]> {
  if (way.includes(host.name)) {
    throw new OperatorError(
      "configuration",
      `the way to ${way[0]} goes in a circle: ${[...way, host.name].join(" → ")}`,
      {
        next: "mend its jump hosts",
      },
    );
  }
  const here = await locateHere(host, options);
  const { settings } = here;
  const jumps = host.jump
    ? host.jump.map((name) => findHost(options.hosts, name))
    : settings.proxyJump.map((jump) => readProxyJump(host.name, jump, options.hosts));
  const [first, ...others] = jumps;
  if (!first) return [here.location];
  // The way to the first jump host is its own; each further one is reached from the one before.
  const before = await locateHost(first, options, [...way, host.name]);
  const between = await Promise.all(
    others.map(async (jump) => behind((await locateHere(jump, options)).location)),
  );
  return [...before, ...between, behind(here.location)];
}

/** A ProxyCommand replaces the first connection only; behind a jump host there is a connection already. */
function behind({ proxyCommand: _replaced, ...location }: Location): Location {
  return location;
}

/** ProxyJump names what `ssh` would connect to, `[user@]host[:port]`, each with the user's settings for that name. */
function readProxyJump(target: string, jump: string, hosts: readonly Host[]): Host {
  const [, user, name, port] =
    /^(?:ssh:\/\/)?(?:([^@]+)@)?(\[[^\]]+\]|[^:]+)(?::(\d+))?\/?$/.exec(jump) ?? [];
  if (name === undefined || name === target) {
    throw new OperatorError("configuration", `${target}: the ProxyJump ${jump} leads nowhere`, {
      next: "mend it in the ssh configuration",
    });
  }
  const known = hosts.find((host) => host.name === name);
  return {
    ...(known ?? { name: name.replace(/^\[(.*)\]$/, "$1"), sources: ["ssh-config" as const] }),
    ...(user !== undefined && { user }),
    ...(port !== undefined && { port: Number(port) }),
  };
}

/** Where one host is, whatever the way to it. */
async function locateHere(
  host: Host,
  options: LocateOptions,
): Promise<{ location: Location; settings: SshSettings }> {
  refuseStrangeName(host);
  const lookup = await options.lookUp(host);
  const { address, instanceId, launchedAt } = lookup;
  const settings = await resolveSshSettings({
    name: host.name,
    environment: options.environment,
    signal: options.signal,
    ...(address !== undefined && { address }),
    ...(host.port !== undefined && { port: host.port }),
    ...(host.user !== undefined && { user: host.user }),
    ...(options.configFile !== undefined && { configFile: options.configFile }),
  });
  if (settings.note !== undefined) options.note(settings.note);
  const { hostKeys } = options;
  const identity = instanceId !== undefined &&
    hostKeys && {
      name: instanceId,
      knownHostsFile: hostKeys.knownHostsFile,
      ...(launchedAt !== undefined && { launchedAt }),
      proveHostKey: () => hostKeys.prove(lookup),
    };
  return {
    location: { ...makeLocation(host.name, settings), ...(identity && { identity }) },
    settings,
  };
}

/** Whoever may tag an instance chooses its Name: one that is no plain word never reaches `ssh`, whose `Match exec` hands it to a shell. */
function refuseStrangeName({ name, sources, instanceId }: Host): void {
  if (instanceId === undefined || sources.includes("config") || NAME.test(name)) return;
  throw new OperatorError("usage", `${name} is no plain name`, {
    next: `call it by its instance id, ${instanceId}`,
  });
}

function makeLocation(name: string, settings: SshSettings): Location {
  return {
    name,
    address: settings.hostName,
    port: settings.port,
    user: settings.user,
    identityFiles: settings.identityFiles,
    identitiesOnly: settings.identitiesOnly,
    knownHostsFiles: settings.knownHostsFiles,
    ...(settings.hostKeyAlias !== undefined && { hostKeyAlias: settings.hostKeyAlias }),
    ...(settings.agentSocket !== undefined && { agentSocket: settings.agentSocket }),
    ...(settings.forProgram && { forProgram: settings.forProgram }),
    ...(settings.proxyCommand !== undefined && { proxyCommand: settings.proxyCommand }),
  };
}
