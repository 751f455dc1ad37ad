import { describeError, OperatorError } from "../system/errors.ts";
import { appendKnownHost } from "./append-known-host.ts";
import { fingerprint, keyType } from "./key-blob.ts";
import { type KnownHostsEntry, knownHostsName, lookUpHostKey } from "./known-hosts.ts";
import type { Hop } from "./route.ts";

/** What a person is asked about a host that nobody has vouched for. */
export interface HostKeyQuestion {
  /** Name of the host in the inventory. */
  host: string;
  address: string;
  port: number;
  /** `ssh-ed25519`, … */
  keyType: string;
  /** `SHA256:…`, as OpenSSH prints it. */
  fingerprint: string;
}

/**
 * Given a hop, the entries of its known_hosts files and the key that the server has shown (wire format), return when
 * the key may be trusted. A known key is; an unknown one only when `trust` (absent: nobody can be asked) answers true,
 * and is then added to the first file; a changed or revoked one never. Throws `access`.
 */
export async function verifyHostKey(
  hop: Hop,
  label: string,
  entries: readonly KnownHostsEntry[],
  key: Buffer,
  trust: ((question: HostKeyQuestion) => Promise<boolean>) | undefined,
  log: (line: string) => void,
): Promise<void> {
  const host = { address: hop.address, port: hop.port, alias: hop.hostKeyAlias };
  const verdict = lookUpHostKey(entries, host, key);
  const shown = `${keyType(key)} ${fingerprint(key)}`;
  if (verdict.verdict === "known")
    return log(`${label}: host key ${shown} is known (${verdict.stored.place})`);

  if (verdict.verdict === "revoked") {
    throw new OperatorError("access", `${label}: the host key is revoked: ${shown}`, {
      details: [`revoked in ${verdict.stored.place}`],
      next: "do not connect; ask who revoked it",
    });
  }
  const name = knownHostsName(hop.address, hop.port, hop.hostKeyAlias);
  if (verdict.verdict === "changed") {
    const { stored } = verdict;
    const file = stored.place.slice(0, stored.place.lastIndexOf(":"));
    throw new OperatorError(
      "access",
      `${label}: the host key has changed; somebody may be listening in`,
      {
        details: [
          `shown now: ${shown}`,
          `stored:    ${keyType(stored.key)} ${fingerprint(stored.key)} (${stored.place})`,
        ],
        next: `find out why; if the change is right: ssh-keygen -R '${name}' -f '${file}'`,
      },
    );
  }
  if (!trust) {
    throw new OperatorError("access", `${label}: the host key is not known: ${shown}`, {
      next: "connect once from a terminal, or add its key with ssh-keyscan after checking it",
    });
  }
  const question = {
    host: hop.name,
    address: hop.address,
    port: hop.port,
    keyType: keyType(key) ?? "",
    fingerprint: fingerprint(key),
  };
  if (!(await trust(question)))
    throw new OperatorError("access", `${label}: the host key was not trusted: ${shown}`);
  const [file] = hop.knownHostsFiles;
  if (file === undefined) return;
  // The trust was given for this connection in any case; ssh goes on, too.
  await appendKnownHost(file, name, key).catch((error: unknown) => {
    log(`${label}: cannot add the host key to ${file}: ${describeError(error)}`);
  });
}
