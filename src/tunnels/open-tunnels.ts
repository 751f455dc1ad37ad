import { setTimeout as delay } from "node:timers/promises";
import { connectHost, type Connection, type ReachOptions } from "../reach/connect-host.ts";
import { forwardPort, type Forward } from "../reach/forward-port.ts";
import { findOpenPort, recordPort, type TunnelIdentity } from "../reach/port-record.ts";
import { loadServiceType } from "../services/registry.ts";
import { OperatorError } from "../system/errors.ts";
import type { TunnelPlan } from "./plan-tunnels.ts";

/** What happens to a tunnel, in the order in which it happens. */
export type TunnelEvent =
  | { event: "listening"; name: string; port: number }
  | { event: "connected"; name: string; address: string }
  /** The forward works, the service behind it does not answer; it is asked again. */
  | { event: "silent"; name: string; detail: string }
  /** The service has answered in its own protocol. */
  | { event: "ready"; name: string; port: number; url: string; detail: string };

export interface OpenTunnels {
  /** Resolves when every service has answered once; rejects when a tunnel ends before. */
  ready: Promise<void>;
  /** Resolves when a connection is gone, with the reason where it was lost. */
  ended: Promise<OperatorError | undefined>;
  close(): Promise<void>;
}

export interface OpenTunnelsOptions extends ReachOptions {
  runtimeFolder: string;
  report: (event: TunnelEvent) => void;
  /** How long a service may stay silent before `ready` gives up; absent: for ever, where somebody watches. */
  silenceLimitMs?: number;
}

const PROBE_TIMEOUT_MS = 10_000;
const PROBE_AGAIN_MS = 1_000;

/**
 * Given plans, listen on all their ports, then connect; tunnels of one host share a connection.
 * Throws `refused` before anything is connected where a port is taken, and what `connectHost` throws; nothing stays open then.
 */
export async function openTunnels(
  plans: readonly TunnelPlan[],
  options: OpenTunnelsOptions,
): Promise<OpenTunnels> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    stop.abort(new OperatorError("cancelled", "the tunnels were closed"));
    for (const closer of closers.splice(0).reverse()) await closer();
  };

  try {
    for (const plan of plans) await refuseIfOpen(plan, options);
    const dials = new Map<string, Dial>();
    for (const plan of plans) if (!dials.has(plan.host.name)) dials.set(plan.host.name, makeDial());
    const forwards: Forward[] = [];
    for (const plan of plans) {
      const { connection } = dials.get(plan.host.name) as Dial;
      const forward = await forwardPort(plan.localPort, plan.target, connection, (line) =>
        options.trace(`${plan.name}: ${line}`),
      );
      closers.push(forward.close);
      forwards.push(forward);
      options.report({ event: "listening", name: plan.name, port: forward.port });
    }

    const connections = await Promise.all(
      [...dials].map(async ([name, dial]) => {
        const plan = plans.find((candidate) => candidate.host.name === name) as TunnelPlan;
        const dialled = connectHost(plan.host, { ...options, signal });
        dialled.then(dial.settle, dial.fail);
        const connection = await dialled;
        closers.push(connection.close);
        for (const tunnel of plans.filter((one) => one.host.name === name)) {
          options.report({ event: "connected", name: tunnel.name, address: connection.address });
        }
        return connection;
      }),
    );
    for (const plan of plans) {
      const record = { port: plan.localPort, pid: process.pid };
      closers.push(await recordPort(options.runtimeFolder, identify(plan, options), record));
    }

    const ended = Promise.race(connections.map((connection) => connection.closed));
    const answered = Promise.all(plans.map((plan) => waitUntilAnswering(plan, signal, options)));
    const lostEarly = ended.then((reason) => {
      throw (
        reason ??
        new OperatorError(
          "unreachable",
          "the connection was closed before the service had answered",
        )
      );
    });
    const ready = Promise.race([answered.then(() => undefined), lostEarly]);
    // Who only waits for the end must not be surprised by these.
    for (const promise of [answered, lostEarly, ready]) promise.catch(() => undefined);
    return { ready, ended, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function identify(plan: TunnelPlan, { configPath }: OpenTunnelsOptions): TunnelIdentity {
  return { configPath, name: plan.name, host: plan.host.name, target: plan.target };
}

async function refuseIfOpen(plan: TunnelPlan, options: OpenTunnelsOptions): Promise<void> {
  const open = await findOpenPort(options.runtimeFolder, identify(plan, options));
  if (open?.port !== plan.localPort) return;
  throw new OperatorError(
    "refused",
    `the tunnel ${plan.name} is open already, by lcops (pid ${open.pid})`,
    {
      next: `use it at ${await describeUrl(plan)}, or end it first`,
    },
  );
}

/** Given a plan, return the address to give to a browser or a client. */
async function describeUrl(plan: Pick<TunnelPlan, "kind" | "localPort">): Promise<string> {
  const { scheme } = await loadServiceType(plan.kind);
  return `${scheme}://localhost:${plan.localPort}/`;
}

/** An accepting socket proves nothing: the listener accepts whatever is behind it. So the service itself is asked, through the tunnel. */
async function waitUntilAnswering(
  plan: TunnelPlan,
  signal: AbortSignal,
  { report, silenceLimitMs = Infinity }: OpenTunnelsOptions,
): Promise<void> {
  const begin = performance.now();
  const type = await loadServiceType(plan.kind);
  const endpoint = { host: "127.0.0.1", port: plan.localPort };
  let lastDetail: string | undefined;
  for (;;) {
    const result = await type.probe(endpoint, {
      timeoutMs: PROBE_TIMEOUT_MS,
      signal,
      ...(plan.path !== undefined && { path: plan.path }),
    });
    if (result.answers) {
      report({
        event: "ready",
        name: plan.name,
        port: plan.localPort,
        url: await describeUrl(plan),
        detail: result.detail,
      });
      return;
    }
    if (result.detail !== lastDetail)
      report({ event: "silent", name: plan.name, detail: result.detail });
    lastDetail = result.detail;
    if (performance.now() - begin > silenceLimitMs) {
      throw new OperatorError("unreachable", `${plan.name} did not answer: ${result.detail}`, {
        next: `see whether it runs on ${plan.host.name}`,
      });
    }
    await delay(PROBE_AGAIN_MS, undefined, { signal });
  }
}

/** A connection that sockets can wait for before it is dialled. */
interface Dial {
  connection: Promise<Connection>;
  settle: (connection: Connection) => void;
  fail: (error: unknown) => void;
}

function makeDial(): Dial {
  let settle: Dial["settle"] = () => undefined;
  let fail: Dial["fail"] = () => undefined;
  const connection = new Promise<Connection>((resolve, reject) => {
    settle = resolve;
    fail = reject;
  });
  connection.catch(() => undefined);
  return { connection, settle, fail };
}
