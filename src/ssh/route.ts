/** One machine on the way to a host, with everything that a connection to it needs; nothing is read from the user's settings here. */
export interface Hop {
  /** Name of the host in the inventory, for messages. */
  name: string;
  /** Where it is now: a DNS name or an IP address. */
  address: string;
  port: number;
  user: string;
  /** What it is besides where it is; absent: its address stands for it. */
  identity?: HostIdentity;
  /** Name under which its key is kept in known_hosts; absent: its address, with the port where it is not 22. */
  hostKeyAlias?: string;
  /** Private key files to try, in order, absolute; those that do not exist are passed over. */
  identityFiles: readonly string[];
  /** Whether only the identities named by `identityFiles` may be offered, even if the agent has more. */
  identitiesOnly: boolean;
  /** Socket of the agent; absent: no agent. */
  agentSocket?: string;
  /** What of the user's settings only the `ssh` program can use. */
  forProgram?: ForProgram;
  /** known_hosts files, user's first; those that do not exist are passed over, an unreadable one refuses. */
  knownHostsFiles: readonly string[];
  /** Command line whose standard input and output are the connection, its tokens already expanded; only the first hop may have one. */
  proxyCommand?: string;
}

interface ForProgram {
  certificateFiles: readonly string[];
  pkcs11Provider?: string;
  gssapi: boolean;
}

/** A machine that keeps its identity when its address goes to another one. */
interface HostIdentity {
  /** Its instance id; its key is kept under it. */
  name: string;
  /** lcops' own known_hosts file, where it is kept. */
  knownHostsFile: string;
  /** ISO 8601. */
  launchedAt?: string;
  /** Asks those who know its keys from another side than the network. Throws nothing but the signal's reason. */
  proveHostKey: () => Promise<HostKeyProof>;
}

/** What others than the server say of its host keys. */
export interface HostKeyProof {
  vouchers: readonly Voucher[];
  /** Why one of them could not say anything, a line each. */
  gaps: readonly string[];
}

/** One key that somebody vouches for. */
export interface Voucher {
  /** `ssh-ed25519`, … */
  keyType: string;
  /** `SHA256:…` or `MD5:00:11:…`, as OpenSSH prints them. */
  fingerprint: string;
  /** In words: `the EC2 console`. */
  by: string;
}

/** The hops to a host, outermost first; the last one is the host itself. */
export type Route = readonly [Hop, ...Hop[]];
