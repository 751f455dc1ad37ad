import { createHash } from "node:crypto";

/** Given a public key in the wire format of RFC 4253 (6.6), return its type (`ssh-ed25519`), or undefined when it is not one. */
export function keyType(blob: Buffer): string | undefined {
  return readString(blob, 0)?.value.toString("latin1");
}

/** Given a public key in wire format, return its fingerprint as OpenSSH prints it: `SHA256:` and unpadded base64. */
export function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/** Given a public key in wire format, return its fingerprint as OpenSSH before 6.8 printed it, and OpsWorks with it, marked as later versions mark it: `MD5:00:11:…`. */
export function md5Fingerprint(blob: Buffer): string {
  const digest = createHash("md5").update(blob).digest("hex");
  return `MD5:${digest.match(/../g)?.join(":") ?? ""}`;
}

/** Given bytes and an offset, return the length-prefixed string that starts there (RFC 4251, 5) and the offset after it, or undefined when it is cut. */
export function readString(
  bytes: Buffer,
  offset: number,
): { value: Buffer; next: number } | undefined {
  if (offset + 4 > bytes.length) return undefined;
  const next = offset + 4 + bytes.readUInt32BE(offset);
  return next <= bytes.length ? { value: bytes.subarray(offset + 4, next), next } : undefined;
}
