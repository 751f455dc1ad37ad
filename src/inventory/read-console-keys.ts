import { createHash } from "node:crypto";

/** A host key that somebody vouches for. */
export interface Voucher {
  /** `ssh-ed25519`, … */
  keyType: string;
  /** `SHA256:…` or `MD5:00:11:…`, as OpenSSH prints them. */
  fingerprint: string;
  /** In words: `the EC2 console`. */
  by: string;
}

/**
 * What stands before each line: `ec2: `, with the kernel's seconds, syslog's priority, time and host in front of it where the
 * console has them. Nothing else, so that no text that a stranger has brought into a log line counts.
 */
const PREFIX =
  /^(?:\[ *\d+\.\d+\] )?(?:<\d+>)?(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d )?(?:(?:[\w.-]+ )?(?:ec2|cloud-init(?:\[\d+\])?): )?/;

const BLOCK = /^-----(BEGIN|END) SSH HOST KEY (FINGERPRINTS|KEYS)-----$/;
const FINGERPRINT =
  /^(\d+) (SHA256:[A-Za-z0-9+/]{43}|(?:MD5:)?(?:[0-9a-f]{2}:){15}[0-9a-f]{2}) .*\((RSA|DSA|ECDSA|ED25519)\)$/;
const KEY =
  /^(ssh-ed25519|ssh-rsa|ssh-dss|ecdsa-sha2-nistp(?:256|384|521)) ([A-Za-z0-9+/]+={0,2})(?: .*)?$/;

/**
 * Given the text of a console, return the host keys that cloud-init has printed there at the first boot, as fingerprints
 * and as keys (cloud-init, modules `ssh` and `keys_to_console`). Only lines between a pair of markers count; a block that
 * the console's buffer has cut, and a line that is not whole, do not.
 */
export function readConsoleKeys(text: string, by: string): Voucher[] {
  const found = new Map<string, Voucher>();
  let block: { kind: string; vouchers: Voucher[] } | undefined;
  for (const raw of text.split(/\r\n|\n|\r/)) {
    const line = raw.replace(PREFIX, "").trimEnd();
    const [, edge, kind = ""] = BLOCK.exec(line) ?? [];
    if (edge === "BEGIN") block = { kind, vouchers: [] };
    else if (edge === "END") {
      for (const voucher of block?.kind === kind ? block.vouchers : [])
        found.set(`${voucher.keyType} ${voucher.fingerprint}`, voucher);
      block = undefined;
    } else if (block) {
      const voucher = block.kind === "KEYS" ? readKey(line, by) : readFingerprint(line, by);
      if (voucher) block.vouchers.push(voucher);
    }
  }
  return [...found.values()];
}

function readFingerprint(line: string, by: string): Voucher | undefined {
  const [, bits, digest, name] = FINGERPRINT.exec(line) ?? [];
  if (bits === undefined || digest === undefined || name === undefined) return undefined;
  const types: Record<string, string> = {
    RSA: "ssh-rsa",
    DSA: "ssh-dss",
    ED25519: "ssh-ed25519",
    ECDSA: `ecdsa-sha2-nistp${bits}`,
  };
  return { keyType: types[name] ?? "", fingerprint: normalizeFingerprint(digest) ?? "", by };
}

function readKey(line: string, by: string): Voucher | undefined {
  const [, type, encoded] = KEY.exec(line) ?? [];
  if (type === undefined || encoded === undefined) return undefined;
  const blob = Buffer.from(encoded, "base64");
  // RFC 4253, 6.6: the type stands in front, behind its length.
  if (blob.length < 4 || blob.subarray(4, 4 + blob.readUInt32BE()).toString("latin1") !== type)
    return undefined;
  const digest = createHash("sha256").update(blob).digest("base64").replace(/=+$/, "");
  return { keyType: type, fingerprint: `SHA256:${digest}`, by };
}

/** Given a fingerprint as OpenSSH of any age writes it, return it with its algorithm in front, or undefined where it is none. */
export function normalizeFingerprint(text: string): string | undefined {
  if (/^SHA256:[A-Za-z0-9+/]{43}=?$/.test(text)) return text.replace(/=$/, "");
  const hex = /^(?:MD5:)?((?:[0-9a-f]{2}:){15}[0-9a-f]{2})$/i.exec(text)?.[1];
  return hex === undefined ? undefined : `MD5:${hex.toLowerCase()}`;
}
