import { describeError, OperatorError } from "../system/errors.ts";
import { printable } from "../system/printable.ts";
import { appendKnownHost } from "./append-known-host.ts";
import { fingerprint, keyType } from "./key-blob.ts";
import { checkProof, judgeHostKey, type KnownKeys, placeOf } from "./known-keys.ts";
import type { HostKeyVerdict, KnownHostsEntry } from "./known-hosts.ts";
import { NeedsProgramError } from "./needs-program.ts";
import type { Hop } from "./route.ts";

/** What a person is asked about a host that nobody has vouched for. */
export interface HostKeyQuestion {
  /** Name of the host in the inventory. */
  host: string;
  address: string;
  port: number;
  /** Of a machine that has an identity: its instance id. */
  instanceId?: string;
  /** `ssh-ed25519`, … */
  keyType: string;
  /** `SHA256:…`, as OpenSSH prints it. */
  fingerprint: string;
  /** Why nothing but a person can tell, a line each, printable. */
  gaps: readonly string[];
}

/** What the verification of one connection needs. */
export interface VerifyOptions {
  hop: Hop;
  label: string;
  known: KnownKeys;
  /** Absent: nobody can be asked. */
  trust: ((question: HostKeyQuestion) => Promise<boolean>) | undefined;
  log(line: string): void;
}

/**
 * Given the key that a server has shown (wire format), return when it may be trusted. A known key is; an unknown one when
 * those vouch for it who know the machine, else only when `trust` answers true, and is then stored; a changed, forged or
 * revoked one never. Throws `access`.
 */
export async function verifyHostKey(key: Buffer, options: VerifyOptions): Promise<void> {
  const { hop, label, known, log } = options;
  const verdict = judgeHostKey(hop, known.entries, key);
  const shown = describeKey(key);
  if (verdict.verdict === "known") {
    log(`${label}: host key ${shown} is known (${verdict.stored.place})`);
    const isElsewhere = hop.identity && !isIn(verdict.stored.place, hop.identity.knownHostsFile);
    if (isElsewhere) await learn(key, `known by its address`, options);
    return;
  }
  refuseRevoked(verdict, shown, label);
  refuseChanged(verdict, shown, options);
  const checked = known.proof && checkProof(known.proof, key);
  if (checked?.proven) {
    const { by } = checked.voucher;
    log(`${label}: host key ${shown} is verified by ${by}`);
    return learn(key, `verified by ${by}`, options);
  }
  if (checked) {
    const { by, fingerprint: expected } = checked.voucher;
    throw new OperatorError("access", `${label}: the host key is not the one of the machine`, {
      details: [`shown now: ${shown}`, `${by} knows: ${keyType(key)} ${expected}`],
      next: "do not connect: somebody may be listening in, or the keys were renewed after the first boot; find out which",
    });
  }
  await askAboutKey(key, shown, verdict, options);
}

/** Given a key in wire format, return its type and fingerprint as one text. */
export function describeKey(key: Buffer): string {
  return `${keyType(key)} ${fingerprint(key)}`;
}

/** Given the verdict on a shown key, throw `access` where that is revoked. */
export function refuseRevoked(verdict: HostKeyVerdict, shown: string, label: string): void {
  if (verdict.verdict !== "revoked") return;
  throw new OperatorError("access", `${label}: the host key is revoked: ${shown}`, {
    details: [`revoked in ${verdict.stored.place}`],
    next: "do not connect; ask who revoked it",
  });
}

function refuseChanged(
  verdict: HostKeyVerdict,
  shown: string,
  { hop, label }: Pick<VerifyOptions, "hop" | "label">,
): void {
  if (verdict.verdict !== "changed") return;
  const { stored } = verdict;
  throw new OperatorError(
    "access",
    `${label}: the host key has changed; somebody may be listening in`,
    {
      details: [
        `shown now: ${shown}`,
        `stored:    ${describeKey(stored.key)} (${stored.place})`,
        ...(hop.identity?.launchedAt ? [`launched:  ${hop.identity.launchedAt}`] : []),
      ],
      next: `find out why; if the change is right: lcops hosts trust ${hop.name}`,
    },
  );
}

/** A console shows what was printed at the first boot within minutes of it (EC2 user guide, instance console output). */
const YOUNG_MS = 10 * 60_000;

async function askAboutKey(
  key: Buffer,
  shown: string,
  verdict: HostKeyVerdict,
  options: VerifyOptions,
): Promise<void> {
  const { hop, label, known, trust } = options;
  const gaps = [...(known.proof?.gaps ?? []), ...describeOtherTypes(known, key)].map(printable);
  const check = `check it, then connect once from a terminal, or: lcops hosts trust ${hop.name}`;
  // Its console shows the key minutes after the first boot: then another try knows it.
  const isYoung = Date.now() - Date.parse(hop.identity?.launchedAt ?? "") < YOUNG_MS;
  const mayComeYet = isYoung && known.proof?.vouchers.length === 0;
  const unknown = new OperatorError(
    mayComeYet ? "unreachable" : "access",
    `${label}: the host key is not known${mayComeYet ? " yet" : ""}: ${shown}`,
    { details: gaps, next: mayComeYet ? `try again in a few minutes, or ${check}` : check },
  );
  if (verdict.verdict === "unknown" && verdict.authority)
    throw new NeedsProgramError(describeAuthority(verdict.authority), unknown);
  if (!trust) throw unknown;
  const question = {
    host: hop.name,
    address: hop.address,
    port: hop.port,
    ...(hop.identity && { instanceId: hop.identity.name }),
    keyType: keyType(key) ?? "",
    fingerprint: fingerprint(key),
    gaps,
  };
  if (!(await trust(question)))
    throw new OperatorError("access", `${label}: the host key was not trusted: ${shown}`);
  await learn(key, hop.identity ? "trusted by the operator" : undefined, options);
}

/** The types that are known were asked for first: a server without any of them is not as it was at its first boot. */
function describeOtherTypes({ proof }: KnownKeys, key: Buffer): string[] {
  const [first] = proof?.vouchers ?? [];
  if (!proof || !first) return [];
  const types = [...new Set(proof.vouchers.map((voucher) => voucher.keyType))].join(", ");
  return [
    `${first.by} knows keys of the machine, of type ${types} and not ${keyType(key)}: be wary`,
  ];
}

/** Given a line of a certificate authority, return in words why it calls for the `ssh` program. */
export function describeAuthority({ place }: KnownHostsEntry): string {
  return `${place} names a certificate authority, and lcops cannot check certificates itself`;
}

/** Store it, with how it came to be trusted. The trust holds for this connection in any case; ssh goes on, too. */
async function learn(
  key: Buffer,
  why: string | undefined,
  { hop, label, log }: VerifyOptions,
): Promise<void> {
  const { file, name } = placeOf(hop);
  if (file === undefined) return;
  const comment = why && `${hop.name}: ${why}, ${new Date().toISOString()}`;
  await appendKnownHost(file, name, key, comment && printable(comment)).catch((error: unknown) => {
    log(`${label}: cannot add the host key to ${file}: ${describeError(error)}`);
  });
}

function isIn(place: string, file: string): boolean {
  return place.slice(0, place.lastIndexOf(":")) === file;
}
