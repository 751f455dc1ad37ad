import { OperatorError } from "../system/errors.ts";
import type { Hop } from "./route.ts";

/** What the configuration of the `ssh` program is made from. */
export interface ProgramHop {
  hop: Hop;
  /** known_hosts file that vouches for it: with the one key that lcops has verified under `programAlias`, or the user's own. */
  knownHostsFiles: readonly string[];
  /** Whether its key stands under `programAlias`; else under its address, for a certificate authority. */
  isPinned: boolean;
}

/** Given a place in the route, return the name of that hop in the configuration. */
export function programAlias(index: number): string {
  return `lcops-hop-${index + 1}`;
}

/**
 * Given the hops of a route, outermost first, and where its socket is to be, return the text of an ssh_config(5) file for
 * `ssh -F`, in which the last hop is a master. Nothing of the user's own file holds beside it but what the hops have of it.
 * Throws `configuration` for a value that such a file cannot have. Pure.
 */
export function writeProgramConfig(
  hops: readonly ProgramHop[],
  options: { controlPath: string; canAsk: boolean; connectTimeoutMs: number },
): string {
  const last = hops.length - 1;
  const blocks = hops.map(({ hop, knownHostsFiles, isPinned }, index) => [
    `Host ${programAlias(index)}`,
    `HostName ${quote(hop.address)}`,
    `Port ${hop.port}`,
    `User ${quote(hop.user, false)}`,
    ...(isPinned
      ? [`HostKeyAlias ${programAlias(index)}`]
      : hop.hostKeyAlias
        ? [`HostKeyAlias ${quote(hop.hostKeyAlias)}`]
        : []),
    `UserKnownHostsFile ${knownHostsFiles.map((file) => quote(file)).join(" ")}`,
    ...(hop.identityFiles.length > 0 ? hop.identityFiles : ["none"]).map(
      (file) => `IdentityFile ${quote(file)}`,
    ),
    ...(hop.forProgram?.certificateFiles ?? []).map((file) => `CertificateFile ${quote(file)}`),
    `IdentitiesOnly ${hop.identitiesOnly ? "yes" : "no"}`,
    `IdentityAgent ${hop.agentSocket === undefined ? "none" : quote(hop.agentSocket)}`,
    ...(hop.forProgram?.pkcs11Provider === undefined
      ? []
      : [`PKCS11Provider ${quote(hop.forProgram.pkcs11Provider, false)}`]),
    `GSSAPIAuthentication ${hop.forProgram?.gssapi ? "yes" : "no"}`,
    ...(index > 0 ? [`ProxyJump ${programAlias(index - 1)}`] : []),
    ...(index === 0 && hop.proxyCommand !== undefined
      ? [`ProxyCommand ${plainLine(hop.proxyCommand).replaceAll("%", "%%")}`]
      : []),
    ...(index === last
      ? [
          "ControlMaster yes",
          `ControlPath ${quote(options.controlPath)}`,
          // It ends by itself where lcops was killed.
          "ControlPersist 10s",
        ]
      : []),
  ]);
  const all = [
    "Host *",
    "GlobalKnownHostsFile none",
    "StrictHostKeyChecking yes",
    "CheckHostIP no",
    "UpdateHostKeys no",
    `BatchMode ${options.canAsk ? "no" : "yes"}`,
    "PreferredAuthentications gssapi-with-mic,publickey",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "ForwardAgent no",
    "ForwardX11 no",
    "PermitLocalCommand no",
    "EscapeChar none",
    `ConnectTimeout ${Math.ceil(options.connectTimeoutMs / 1000)}`,
    "ServerAliveInterval 15",
    "ServerAliveCountMax 3",
  ];
  return `${[...blocks, all].map((lines) => lines.join("\n  ")).join("\n\n")}\n`;
}

/** With `%` for tokens and `${}` for variables, a value means something else than it says. */
function quote(value: string, hasTokens = true): string {
  if (/["\\]|\$\{/.test(value)) throw refuse(value);
  return `"${hasTokens ? plainLine(value).replaceAll("%", "%%") : plainLine(value)}"`;
}

function plainLine(value: string): string {
  if (/\p{Cc}/u.test(value)) throw refuse(value);
  return value;
}

function refuse(value: string): OperatorError {
  return new OperatorError(
    "configuration",
    `${JSON.stringify(value)} cannot be handed to the ssh program`,
    { next: "give the file or the host a plain name" },
  );
}
