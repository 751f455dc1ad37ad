import { describeError, OperatorError } from "../system/errors.ts";
import type { Finding } from "../system/finding.ts";
import type { SupervisedTunnel } from "../tunnels/control-protocol.ts";
import type { Context } from "./command.ts";
import { ask } from "./tunnel/supervisor.ts";

/** Ask the supervisor how the tunnels in the background are; none of them, no finding. */
export async function checkTunnels(context: Context): Promise<Finding[]> {
  try {
    const answer = await ask({ ask: "list" }, context);
    return (answer?.tunnels ?? []).map(judgeTunnel);
  } catch (error) {
    context.signal.throwIfAborted();
    const next = error instanceof OperatorError ? error.next : undefined;
    const detail = describeError(error);
    return [
      {
        area: "tunnel",
        name: "supervisor",
        state: "fail",
        detail,
        ...(next !== undefined && { next }),
      },
    ];
  }
}

/** Returns the finding of a tunnel in the background. Pure. */
export function judgeTunnel({ name, state, url, reason, health, next }: SupervisedTunnel): Finding {
  const isWell = state === "up" || state === "connecting";
  return {
    area: "tunnel",
    name,
    state: isWell ? "ok" : state === "failed" ? "fail" : "warn",
    detail: [`${state} at ${url}`, reason ?? health?.detail].filter(Boolean).join(": "),
    ...(state === "failed" && {
      next: [next, `lcops tunnel retry ${name}`].filter(Boolean).join(", then "),
    }),
  };
}
