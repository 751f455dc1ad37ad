import { OperatorError } from "../system/errors.ts";
import { formatKnownHost } from "./append-known-host.ts";
import { type ConnectOptions, fetchHostKey, type ShownHostKey } from "./connect.ts";
import { checkProof, judgeHostKey, placeOf } from "./known-keys.ts";
import { type KnownHostsEntry, matchesHost } from "./known-hosts.ts";
import { replaceKnownHost } from "./replace-known-host.ts";
import type { HostKeyProof, Route } from "./route.ts";
import { describeKey, refuseRevoked } from "./verify-host-key.ts";

/** What accepting the key that a host shows would change. */
export interface HostKeyChange {
  /** For messages: name, address and instance id of the host. */
  label: string;
  /** `known`: there is nothing to accept. */
  state: "known" | "unknown" | "changed";
  /** `ssh-ed25519 SHA256:…` */
  shown: string;
  /** What is stored for the host, each with its place and as the line that it is. */
  stored: readonly { key: string; place: string; line: string }[];
  /** ISO 8601; of an instance, where it is known. */
  launchedAt?: string;
  /** What others than the server say of its key, or why they do not, a line each. */
  said: readonly string[];
  /** Where the key would be kept, and under which name. */
  file: string;
  name: string;
  /** Keep it there, instead of all that is stored for the name. */
  accept(): Promise<void>;
}

/**
 * Given a route, ask its last host for its key and return what accepting that would change; nothing is changed yet, and no
 * credential is sent to it. Throws `access` for a revoked key and an unreadable store, `refused` where the old key stands in a
 * file that is not lcops' to change, and what `connect` throws.
 */
export async function planHostKeyChange(
  route: Route,
  options: ConnectOptions,
): Promise<HostKeyChange> {
  const shown = await fetchHostKey(route, options);
  const { hop, known, key, label } = shown;
  const verdict = judgeHostKey(hop, known.entries, key);
  refuseRevoked(verdict, describeKey(key), label);
  const { file, name } = placeOf(hop);
  if (file === undefined) {
    throw new OperatorError("refused", `${label}: there is no file to keep its key in`, {
      next: "name one with UserKnownHostsFile in the ssh configuration",
    });
  }
  const stored = known.entries.filter(
    (entry) => entry.marker === undefined && matchesHost(entry.hosts, name),
  );
  const state = verdict.verdict === "known" ? "known" : stored.length > 0 ? "changed" : "unknown";
  if (state === "changed") refuseForeign(stored, file, label);
  const proof = known.proof ?? (await hop.identity?.proveHostKey());
  return {
    label,
    state,
    shown: describeKey(key),
    stored: stored.map((entry) => ({
      key: describeKey(entry.key),
      place: entry.place,
      line: formatKnownHost(entry.hosts, entry.key),
    })),
    ...(hop.identity?.launchedAt !== undefined && { launchedAt: hop.identity.launchedAt }),
    said: proof ? describeProof(proof, key) : [],
    file,
    name,
    accept: () => replaceKnownHost(file, name, key, hop.identity && remark(shown)),
  };
}

function refuseForeign(stored: readonly KnownHostsEntry[], file: string, label: string): void {
  const foreign = stored.filter(({ place }) => !place.startsWith(`${file}:`));
  if (foreign.length === 0) return;
  throw new OperatorError("refused", `${label}: its old key stands where lcops does not write`, {
    details: foreign.map(({ place, key }) => `${describeKey(key)} (${place})`),
    next: "have it taken out there, then try again",
  });
}

function describeProof(proof: HostKeyProof, key: Buffer): string[] {
  const checked = checkProof(proof, key);
  if (!checked) return [...proof.gaps];
  const { by, keyType, fingerprint } = checked.voucher;
  if (checked.proven) return [`${by} knows the key shown now`];
  return [`${by} knows another one: ${keyType} ${fingerprint}`];
}

function remark({ hop }: ShownHostKey): string {
  return `${hop.name}: accepted by the operator, ${new Date().toISOString()}`;
}
