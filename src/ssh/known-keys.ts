import { fingerprint, keyType, md5Fingerprint } from "./key-blob.ts";
import {
  type HostKeyVerdict,
  type KnownHostsEntry,
  knownHostsName,
  lookUpHostKey,
  lookUpName,
  readKnownHosts,
  storedKeyTypes,
  typesStoredFor,
} from "./known-hosts.ts";
import type { Hop, HostKeyProof, Voucher } from "./route.ts";

/** What is known of a hop's host keys before it is dialled. */
export interface KnownKeys {
  /** Of lcops' own file, where the hop has an identity, then of the user's and the global ones. */
  entries: readonly KnownHostsEntry[];
  /** Types to negotiate, the stored and proven ones first. */
  types: readonly string[];
  /** Absent: nobody was asked, as its key is stored or nobody can know it. */
  proof?: HostKeyProof;
}

/**
 * Given a hop, read what is stored for it, and where nothing is stored for a machine that others know, ask these: before
 * dialling, so that a key type that they know can be negotiated and no server waits. Throws `access` for an unreadable file.
 */
export async function gatherKnownKeys(hop: Hop): Promise<KnownKeys> {
  const { identity } = hop;
  if (!identity) {
    const entries = await readKnownHosts(hop.knownHostsFiles);
    return { entries, types: storedKeyTypes(entries, namesOf(hop)) };
  }
  const entries = await readKnownHosts([identity.knownHostsFile, ...hop.knownHostsFiles]);
  const own = typesStoredFor(entries, identity.name.toLowerCase());
  if (own.length > 0) return { entries, types: own };
  const proof = await identity.proveHostKey();
  const proven = proof.vouchers.map((voucher) => voucher.keyType);
  return {
    entries,
    proof,
    types: [...new Set([...proven, ...storedKeyTypes(entries, namesOf(hop))])],
  };
}

/** Given a hop, return the file and the name under which its key is kept; no file: nowhere. */
export function placeOf(hop: Hop): { file: string | undefined; name: string } {
  if (hop.identity)
    return { file: hop.identity.knownHostsFile, name: hop.identity.name.toLowerCase() };
  return {
    file: hop.knownHostsFiles[0],
    name: knownHostsName(hop.address, hop.port, hop.hostKeyAlias),
  };
}

/**
 * Given a hop, entries and the key that it has shown, return the verdict. A machine with an identity is judged by what is
 * stored under that; what the user has stored for its address counts when it is the same key or revokes it, and is no alarm
 * otherwise, since addresses go from one machine to the next.
 */
export function judgeHostKey(
  hop: Hop,
  entries: readonly KnownHostsEntry[],
  key: Buffer,
): HostKeyVerdict {
  const byAddress = lookUpHostKey(entries, namesOf(hop), key);
  if (!hop.identity || byAddress.verdict === "revoked") return byAddress;
  const own = lookUpName(entries, hop.identity.name.toLowerCase(), key);
  if (own.verdict !== "unknown" || byAddress.verdict === "changed") return own;
  return byAddress.verdict === "known" || own.authority === undefined ? byAddress : own;
}

/** Given a hop and entries, return the line of a certificate authority that stands for the hop, where there is one. */
export function findAuthority(
  hop: Hop,
  entries: readonly KnownHostsEntry[],
): KnownHostsEntry | undefined {
  // No key is stored that equals none.
  const verdict = lookUpHostKey(entries, namesOf(hop), Buffer.alloc(0));
  return verdict.verdict === "unknown" ? verdict.authority : undefined;
}

/** Given a proof and a key, return who vouches for it, or who knows another key of its type; undefined where nobody says anything of that type. */
export function checkProof(
  { vouchers }: HostKeyProof,
  key: Buffer,
): { proven: boolean; voucher: Voucher } | undefined {
  const fitting = vouchers.filter((voucher) => voucher.keyType === keyType(key));
  const prints = [fingerprint(key), md5Fingerprint(key)];
  // Who says two things of one type, or contradicts another, has proven nothing.
  const other = fitting.find((voucher) => !prints.includes(voucher.fingerprint));
  if (other) return { proven: false, voucher: other };
  return fitting[0] && { proven: true, voucher: fitting[0] };
}

function namesOf({ address, port, hostKeyAlias }: Hop) {
  return { address, port, alias: hostKeyAlias };
}
