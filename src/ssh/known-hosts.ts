import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { describeError, errorCode, OperatorError } from "../system/errors.ts";
import { keyType } from "./key-blob.ts";

/** One usable line of a known_hosts file. */
export interface KnownHostsEntry {
  /** First field as written: patterns, or one hashed name. */
  hosts: string;
  marker: "@revoked" | "@cert-authority" | undefined;
  /** Public key in wire format. */
  key: Buffer;
  /** Where it stands: `FILE:LINE`. */
  place: string;
}

/** What the files say about a host's key; `stored` is the entry that decided. */
export type HostKeyVerdict =
  | { verdict: "known" | "changed" | "revoked"; stored: KnownHostsEntry }
  /** `authority`: a `@cert-authority` line for the host, which vouches for certificates and for no plain key. */
  | { verdict: "unknown"; authority?: KnownHostsEntry };

/** Under which names a host's key is looked for. */
export interface HostNames {
  address: string;
  port: number;
  alias?: string | undefined;
}

/**
 * Given known_hosts files, return their entries in order. A missing file is passed over; any other failure to read one
 * throws `access`, since an unread line may be the one that refuses.
 */
export async function readKnownHosts(files: readonly string[]): Promise<KnownHostsEntry[]> {
  const entries: KnownHostsEntry[] = [];
  for (const file of files) {
    try {
      entries.push(...parseKnownHosts(await readFile(file, "utf8"), file));
    } catch (error) {
      if (errorCode(error) === "ENOENT") continue;
      throw new OperatorError(
        "access",
        `cannot read the known host keys: ${describeError(error)}`,
        {
          next: `make ${file} a file that you can read; no host is trusted while it cannot be read`,
          cause: error,
        },
      );
    }
  }
  return entries;
}

/** Given the text of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT) and its name, return its entries; lines that OpenSSH would skip are skipped. */
export function parseKnownHosts(text: string, file: string): KnownHostsEntry[] {
  return text.split("\n").flatMap((line, index) => {
    const fields = line.trim().split(/[ \t]+/);
    const marker = fields[0]?.startsWith("@") ? fields.shift() : undefined;
    if (marker !== undefined && marker !== "@revoked" && marker !== "@cert-authority") return [];
    const [hosts, type, encoded] = fields;
    if (!hosts || hosts.startsWith("#") || !type || !encoded) return [];
    const key = Buffer.from(encoded, "base64");
    return keyType(key) === type ? [{ hosts, marker, key, place: `${file}:${index + 1}` }] : [];
  });
}

/** Given an address and a port, and the alias where there is one, return the name under which known_hosts keeps the key. */
export function knownHostsName(address: string, port: number, alias?: string): string {
  return (alias ?? (port === 22 ? address : `[${address}]:${port}`)).toLowerCase();
}

/**
 * Given entries, a host and its key in wire format, return the verdict, by OpenSSH's rules (hostfile.c, sshconnect.c):
 * a revoked key is refused whatever else is stored; an equal key is known; any other key stored for the host, of
 * whatever type, means changed. A `@cert-authority` line says nothing about a plain key. A host on a port of its own
 * that is unknown there is also known by an equal key under its bare name.
 */
export function lookUpHostKey(
  entries: readonly KnownHostsEntry[],
  host: HostNames,
  key: Buffer,
): HostKeyVerdict {
  const bareName = knownHostsName(host.address, 22, host.alias);
  const verdict = lookUpName(entries, knownHostsName(host.address, host.port, host.alias), key);
  if (verdict.verdict !== "unknown") return verdict;
  const bare = lookUpName(entries, bareName, key);
  if (bare.verdict === "known" || bare.verdict === "revoked") return bare;
  return bare.verdict === "unknown" && !verdict.authority ? bare : verdict;
}

/** As `lookUpHostKey`, for the one name under which a key is kept (HostKeyAlias); it stands for no other. */
export function lookUpName(
  entries: readonly KnownHostsEntry[],
  name: string,
  key: Buffer,
): HostKeyVerdict {
  const own = entries.filter((entry) => matchesHost(entry.hosts, name));
  const revoked = own.find((entry) => entry.marker === "@revoked" && entry.key.equals(key));
  if (revoked) return { verdict: "revoked", stored: revoked };
  const plain = own.filter((entry) => entry.marker === undefined);
  const equal = plain.find((entry) => entry.key.equals(key));
  if (equal) return { verdict: "known", stored: equal };
  // A stored key of the same type tells more than the first one that differs.
  const stored = plain.find((entry) => keyType(entry.key) === keyType(key)) ?? plain[0];
  if (stored) return { verdict: "changed", stored };
  const authority = own.find((entry) => entry.marker === "@cert-authority");
  return { verdict: "unknown", ...(authority && { authority }) };
}

/** Given entries and a host, return the key types stored for it, in order of the files. */
export function storedKeyTypes(entries: readonly KnownHostsEntry[], host: HostNames): string[] {
  const types = typesStoredFor(entries, knownHostsName(host.address, host.port, host.alias));
  return types.length > 0
    ? types
    : typesStoredFor(entries, knownHostsName(host.address, 22, host.alias));
}

/** Given entries and one name, return the key types stored for it. */
export function typesStoredFor(entries: readonly KnownHostsEntry[], name: string): string[] {
  const own = entries.filter(
    (entry) => entry.marker === undefined && matchesHost(entry.hosts, name),
  );
  return [...new Set(own.flatMap((entry) => keyType(entry.key) ?? []))];
}

/** Given the first field of a line and a name in lower case, return whether the line is about that name; a negated pattern that fits excludes it. */
export function matchesHost(hosts: string, name: string): boolean {
  if (hosts.startsWith("|")) return matchesHash(hosts, name);
  const patterns = hosts.toLowerCase().split(",");
  if (patterns.some((pattern) => pattern.startsWith("!") && matchesGlob(pattern.slice(1), name)))
    return false;
  return patterns.some((pattern) => !pattern.startsWith("!") && matchesGlob(pattern, name));
}

function matchesHash(hosts: string, name: string): boolean {
  const [, algorithm, salt, hash] = hosts.split("|");
  if (algorithm !== "1" || !salt || !hash) return false;
  return createHmac("sha1", Buffer.from(salt, "base64"))
    .update(name)
    .digest()
    .equals(Buffer.from(hash, "base64"));
}

/** Only `*` and `?` are special: the brackets of `[host]:port` are not. Without backtracking over more than the last `*`, so that no pattern is slow. */
function matchesGlob(pattern: string, name: string): boolean {
  let at = 0;
  let starAt = -1;
  let resumeAt = 0;
  for (let index = 0; index < name.length;) {
    if (pattern[at] === "*") {
      starAt = at++;
      resumeAt = index;
    } else if (at < pattern.length && (pattern[at] === "?" || pattern[at] === name[index])) {
      at += 1;
      index += 1;
    } else if (starAt >= 0) {
      at = starAt + 1;
      index = ++resumeAt;
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(at));
}
