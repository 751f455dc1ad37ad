import { readFile, stat } from "node:fs/promises";
import ssh2, { type ParsedKey } from "ssh2";
import { describeError, errorCode } from "../system/errors.ts";
import { keyType, readString } from "./key-blob.ts";

/** What a private key file holds, as far as it can be told without its passphrase. */
export interface KeyFile {
  file: string;
  /** Public key in wire format, from the file itself or from FILE.pub beside it. */
  blob: Buffer | undefined;
  /** The private key, unless it is encrypted or `problem` says why not. */
  key: ParsedKey | undefined;
  /** Text of an encrypted key. */
  encrypted: string | undefined;
  /** Why the private key in it cannot be used. */
  problem: string | undefined;
}

/**
 * Given a private key file, read it; undefined when neither it nor FILE.pub is there. As OpenSSH does (sshkey_perm_ok in
 * authfile.c), a file of ours that others may read is not used. Throws nothing: what is wrong stands in `problem`.
 */
export async function readKeyFile(file: string): Promise<KeyFile | undefined> {
  const blob = await readPublicHalf(`${file}.pub`);
  const found: KeyFile = { file, blob, key: undefined, encrypted: undefined, problem: undefined };
  let text: string;
  let mode: number;
  try {
    const status = await stat(file);
    // Only the owner's own file is judged: a shared one belongs to somebody who chose so.
    mode = status.uid === process.getuid?.() ? status.mode & 0o777 : 0;
    text = await readFile(file, "utf8");
  } catch (error) {
    if (errorCode(error) !== "ENOENT") return { ...found, problem: describeError(error) };
    return blob && { ...found, problem: "only its public half is here" };
  }
  const parsed = ssh2.utils.parseKey(text);
  if (!(parsed instanceof Error) && !parsed.isPrivateKey()) {
    return {
      ...found,
      blob: parsed.getPublicSSH(),
      problem: "holds a public key, not a private one",
    };
  }
  if (mode & 0o077) {
    const octal = mode.toString(8).padStart(4, "0");
    return { ...found, problem: `permissions ${octal} are too open (chmod 600)` };
  }
  if (!(parsed instanceof Error)) return { ...found, blob: parsed.getPublicSSH(), key: parsed };
  if (parsed.message.includes("no passphrase given")) {
    return { ...found, blob: publicPart(text) ?? blob, encrypted: text };
  }
  const shown = publicPart(text) ?? blob;
  const isFido = shown && keyType(shown)?.startsWith("sk-");
  const why = isFido
    ? "a FIDO key, which lcops cannot use itself"
    : `cannot be used: ${parsed.message}`;
  return { ...found, blob: shown, problem: why };
}

/** Given the text of an encrypted key and a passphrase, return the key, or undefined when the passphrase is wrong. */
export function decryptKey(text: string, passphrase: string): ParsedKey | undefined {
  const key = ssh2.utils.parseKey(text, passphrase);
  return key instanceof Error ? undefined : key;
}

async function readPublicHalf(file: string): Promise<Buffer | undefined> {
  const text = await readFile(file, "utf8").catch(() => "");
  const encoded = text.trim().split(/\s+/)[1];
  return encoded ? Buffer.from(encoded, "base64") : undefined;
}

/** OpenSSH's own format keeps the public key readable in front of the encrypted part (PROTOCOL.key). */
function publicPart(text: string): Buffer | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+)-----END/.exec(text)?.[1];
  if (!body) return undefined;
  const bytes = Buffer.from(body, "base64");
  let offset = "openssh-key-v1\0".length;
  // Cipher, key derivation, its options; then a count, then the key.
  for (let field = 0; field < 3; field++) {
    const next = readString(bytes, offset)?.next;
    if (next === undefined) return undefined;
    offset = next;
  }
  return readString(bytes, offset + 4)?.value;
}
