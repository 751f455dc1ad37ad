/** Keys of the lab's hosts, and what a known_hosts file says of them. */
import { createHash, createHmac, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { runCommand } from "./process.ts";
import type { LabContext } from "./process.ts";

export type KeyType = "ed25519" | "ecdsa" | "rsa";

/** Takes a key's type, file and comment; makes the pair with ssh-keygen and returns the private file. */
export async function makeKey(
  lab: LabContext,
  type: KeyType,
  file: string,
  comment: string,
): Promise<string> {
  const size = { ed25519: [], ecdsa: ["-b", "256"], rsa: ["-b", "2048"] }[type];
  await runCommand(lab, "ssh-keygen", [
    "-q",
    "-t",
    type,
    ...size,
    "-N",
    "",
    "-C",
    comment,
    "-f",
    file,
  ]);
  return file;
}

/** Takes a host's folder and key types; makes its keys and returns their private files. */
export function makeHostKeys(
  lab: LabContext,
  folder: string,
  name: string,
  types: KeyType[],
): Promise<string[]> {
  return Promise.all(
    types.map((type) => makeKey(lab, type, path.join(folder, `${type}_key`), name)),
  );
}

/** Takes a private key file; returns the type and base64 of the public half beside it. */
function readPublicKey(keyFile: string): { type: string; base64: string } {
  const [type = "", base64 = ""] = readFileSync(`${keyFile}.pub`, "utf8").split(" ");
  return { type, base64 };
}

/** Takes a private key file; returns its fingerprint as ssh prints it. */
export function fingerprint(keyFile: string): string {
  const digest = createHash("sha256").update(Buffer.from(readPublicKey(keyFile).base64, "base64"));
  return `SHA256:${digest.digest("base64").replace(/=+$/, "")}`;
}

function hashName(name: string): string {
  const salt = randomBytes(20);
  return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;
}

/** Takes where a host answers and its private key files; returns its known_hosts lines, with hashed names if wished. */
export function knownHostsLines(
  addresses: string[],
  port: number,
  keyFiles: string[],
  hashed: boolean,
): string[] {
  const names = addresses.map((address) => `[${address}]:${port}`);
  return keyFiles.flatMap((keyFile) => {
    const { type, base64 } = readPublicKey(keyFile);
    return names.map((name) => `${hashed ? hashName(name) : name} ${type} ${base64}`);
  });
}
