import { describeError, errorCode, OperatorError } from "../system/errors.ts";
import { printable } from "../system/printable.ts";
import type { Hop } from "./route.ts";

/** Given a hop and its place in the route, return its name for messages: `graphs (127.0.0.1:22)`, `hop 1 of 2, bastion (127.0.0.1:22, i-0abc)`. */
export function hopLabel(
  hop: Pick<Hop, "name" | "address" | "port" | "identity">,
  index: number,
  count: number,
): string {
  const address = hop.address.includes(":") ? `[${hop.address}]` : hop.address;
  const id = hop.identity ? `, ${hop.identity.name}` : "";
  const name = printable(`${hop.name} (${address}:${hop.port}${id})`);
  return count > 1 ? `hop ${index + 1} of ${count}, ${name}` : name;
}

/** Given the failure of a TCP connection attempt and the hop's label, return it in the operator's words (`unreachable`). */
export function classifySocketError(error: unknown, label: string): OperatorError {
  const code = errorCode(error) ?? "";
  const [what, next] =
    code === "ENOTFOUND" || code === "EAI_AGAIN" || code === "EAI_NODATA"
      ? ["its name cannot be looked up", "check the name, and that this machine can look up names"]
      : code === "ECONNREFUSED"
        ? ["the connection was refused", "check the port, and that sshd runs there"]
        : code === "ETIMEDOUT" || code === "EHOSTUNREACH" || code === "ENETUNREACH"
          ? [
              "no answer",
              "check that the host is up, and that its security group lets your address in",
            ]
          : ["cannot connect", undefined];
  return new OperatorError("unreachable", `${label}: ${what}: ${printable(describeError(error))}`, {
    ...(next && { next }),
    cause: error,
  });
}

/** What is known about a handshake that failed. */
export interface HandshakeFailure {
  label: string;
  /** What ssh2 or the stream reported, if anything. */
  error: Error | undefined;
  /** What the connection was busy with: `waiting for its greeting`. */
  phase: string;
  /** First bytes that the server sent. */
  received: Buffer;
  /** What the server offers where it shares no algorithm with us: one line each. */
  offered: readonly string[];
  /** What a ProxyCommand has said, printable. */
  words: readonly string[];
}

/** Given a handshake that failed for a reason of the network or the server, return it in the operator's words. */
export function classifyHandshakeError(failure: HandshakeFailure): OperatorError {
  const { label, error, phase, received, offered, words } = failure;
  const message = error?.message ?? "the connection was closed";
  const cause = error && { cause: error };
  // An outer hop that ended tells more than its consequences here.
  if (error instanceof OperatorError) return error;
  if (words.length > 0 || message.includes("ProxyCommand")) {
    return new OperatorError(
      "unreachable",
      `${label}: failed while ${phase}: ${printable(message)}`,
      {
        details: words,
        next: "run its ProxyCommand by itself to see what it lacks",
        ...cause,
      },
    );
  }
  if (message.includes("no matching") || message.includes("No matching")) {
    return new OperatorError("failed", `${label}: ${printable(message)}`, {
      details: offered.map(printable),
      next: "update the SSH server there; until then use the ssh program",
      ...cause,
    });
  }
  if (message.includes("Too many authentication failures")) {
    return new OperatorError("access", `${label}: the server refused after too many keys`, {
      next: "name the right key with IdentityFile and set IdentitiesOnly yes",
      ...cause,
    });
  }
  if (message.startsWith("Bad packet length") && phase === "authenticating") {
    return new OperatorError("failed", `${label}: failed while ${phase}: ${printable(message)}`, {
      next: "shorten the Banner in its sshd_config to 32 kB; until then use the ssh program",
      ...cause,
    });
  }
  const beginning = received.subarray(0, 80).toString("latin1").split(/\r?\n/)[0] ?? "";
  if (/MaxStartups|Not allowed at this time/.test(beginning)) {
    return new OperatorError(
      "unreachable",
      `${label}: the server takes no more connections for now: "${printable(beginning)}"`,
      {
        next: "wait a minute, then try again (MaxStartups, PerSourcePenalties in its sshd_config)",
        ...cause,
      },
    );
  }
  if (beginning !== "" && !received.includes("SSH-")) {
    return new OperatorError(
      "unreachable",
      `${label}: this is not an SSH server, it says "${printable(beginning)}"`,
      {
        next: "check the port",
        ...cause,
      },
    );
  }
  return new OperatorError(
    "unreachable",
    `${label}: failed while ${phase}: ${printable(message)}`,
    {
      next: "check that sshd answers there; when it drops connections early, wait (MaxStartups, PerSourcePenalties)",
      ...cause,
    },
  );
}

/** Given what a server answered to the opening of a channel, return it in the operator's words; `purpose` is a `host:port` or undefined for a session. Reasons: RFC 4254, 5.1. */
export function classifyChannelError(
  error: Error,
  label: string,
  purpose: string | undefined,
): OperatorError {
  const reason = "reason" in error ? error.reason : undefined;
  const said =
    printable(error.message.replace("(SSH) Channel open failure: ", "")) || "no reason given";
  const cause = { cause: error };
  if (purpose === undefined) {
    return new OperatorError("failed", `${label}: the server opens no session: ${said}`, {
      ...((reason === 2 || reason === 4) && {
        next: "close other sessions on this host (MaxSessions), then try again",
      }),
      ...cause,
    });
  }
  if (reason === 1) {
    return new OperatorError(
      "access",
      `${label}: the server forbids to forward to ${purpose}: ${said}`,
      {
        next: "allow it there in sshd_config: AllowTcpForwarding, PermitOpen",
        ...cause,
      },
    );
  }
  if (reason === 2) {
    return new OperatorError(
      "unreachable",
      `${label}: SSH is fine, but ${purpose} cannot be reached from there: ${said}`,
      {
        next: `check that the service listens on ${purpose}`,
        ...cause,
      },
    );
  }
  if (reason === 4) {
    return new OperatorError(
      "unreachable",
      `${label}: the server is short of resources for ${purpose}: ${said}`,
      {
        next: "close some connections, then try again",
        ...cause,
      },
    );
  }
  return new OperatorError("failed", `${label}: cannot forward to ${purpose}: ${said}`, cause);
}

/**
 * Given what ended a transport that had been up for so long, and what its program said last, return the error of
 * everything that was under way on it.
 */
export function lostTransport(
  label: string,
  error: Error | undefined,
  upMs: number,
  words: readonly string[],
): OperatorError {
  if (error instanceof OperatorError) return error;
  const why = error ? printable(error.message) : "the server closed it";
  const upS = Math.round(upMs / 1000);
  return new OperatorError(
    "unreachable",
    `${label}: the connection was lost after ${upS} s: ${why}`,
    {
      details: words,
      next: "connect again",
      ...(error && { cause: error }),
    },
  );
}
