import { forwardPort } from "../reach/forward-port.ts";
import { recordPort } from "../reach/port-record.ts";
import { describeError, OperatorError } from "../system/errors.ts";
import type { ConnectionState, KeptConnection } from "./keep-connection.ts";
import { describeUrl } from "./describe-url.ts";
import type { TunnelPlan } from "./plan-tunnels.ts";
import type { TunnelEvent, TunnelStatus } from "./tunnel-status.ts";
import { type HealthWatch, watchHealth } from "./watch-health.ts";

/** One tunnel that listens; its connection comes and goes. */
export interface OpenTunnel {
  plan: TunnelPlan;
  configPath: string;
  status(): TunnelStatus;
  /** Tell it what has become of its connection. */
  follow(state: ConnectionState): void;
  close(): Promise<void>;
}

export interface OpenTunnelOptions {
  configPath: string;
  runtimeFolder: string;
  connection: Pick<KeptConnection, "get" | "status">;
  report: (event: TunnelEvent) => void;
  trace: (name: string, line: string) => void;
}

/** So many refusals in a row, and the service is asked how it is. */
const REFUSALS = 3;

/** Given a plan and its connection, listen on its port. Throws `refused` where the port is taken. */
export async function openTunnel(
  plan: TunnelPlan,
  options: OpenTunnelOptions,
): Promise<OpenTunnel> {
  const { name } = plan;
  const { connection, report, trace } = options;
  const stop = new AbortController();
  const url = describeUrl(plan.service, plan.localPort);
  let refusals = 0;
  let refusal: string | undefined;
  let address: string | undefined;

  let watch: HealthWatch | undefined;
  const forward = await forwardPort(plan.localPort, plan.target, {
    connect: connection.get,
    report: (error) => {
      refusals = error === undefined ? 0 : refusals + 1;
      // Others are those of the client.
      if (error === undefined || error instanceof OperatorError) refusal = error?.message;
      if (error !== undefined) trace(name, describeError(error));
      if (refusals === REFUSALS) watch?.poke();
    },
  });
  const { configPath, runtimeFolder } = options;
  const takeRecordBack = await recordPort(
    runtimeFolder,
    { configPath, name, host: plan.host.name, target: plan.target },
    { port: plan.localPort, pid: process.pid },
  ).catch(async (error: unknown) => {
    await forward.close();
    throw error;
  });
  watch = watchHealth(plan, {
    signal: stop.signal,
    isUp: () => connection.status().current.state === "up",
    receivedBytes: () => forward.bytes().received,
    refusal: () => refusal,
    report: ({ answers, detail }) => {
      report(
        answers
          ? { event: "ready", name, port: plan.localPort, url, detail }
          : { event: "silent", name, detail },
      );
    },
  });
  report({ event: "listening", name, port: forward.port });
  return {
    plan,
    configPath,
    follow: (state) => {
      if (state.state === "up") {
        address = state.address;
        report({ event: "connected", name, address });
        watch?.poke();
      } else if (state.state !== "connecting") {
        const { message, next } = state.reason;
        const why = { name, reason: message, next };
        report(
          state.state === "failed"
            ? { event: "failed", ...why }
            : { event: "waiting", ...why, waitMs: state.nextTryAt.getTime() - Date.now() },
        );
      }
    },
    status: () => {
      const { current, since, reconnects } = connection.status();
      const health = watch?.health();
      const { received, sent } = forward.bytes();
      const isDegraded = current.state === "up" && health?.answers === false;
      return {
        name,
        state: isDegraded ? "degraded" : current.state,
        since: since.toISOString(),
        port: plan.localPort,
        url,
        host: plan.host.name,
        ...(address !== undefined && { address }),
        receivedBytes: received,
        sentBytes: sent,
        reconnects,
        ...(health && { health: { ...health, at: health.at.toISOString() } }),
        ...("reason" in current && describeReason(current.reason)),
        ...("nextTryAt" in current && { nextTryAt: current.nextTryAt.toISOString() }),
      };
    },
    close: async () => {
      stop.abort();
      await takeRecordBack();
      await forward.close();
    },
  };
}

function describeReason({ message, next }: OperatorError): Pick<TunnelStatus, "reason" | "next"> {
  return { reason: message, ...(next !== undefined && { next }) };
}
