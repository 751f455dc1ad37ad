/** Keys as PuTTY keeps them; puttygen is not needed. */
import { createHash, createHmac, createPrivateKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import { publicKey } from "./start-sshd.ts";

const field = (bytes: Buffer): Buffer => {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(bytes.length);
  return Buffer.concat([size, bytes]);
};

/** Takes an RSA key file in PEM; returns the text of a .ppk file, version 2 without encryption (PuTTY's manual, appendix C). */
export async function writePuttyKey(file: string): Promise<string> {
  const jwk = createPrivateKey(await readFile(file)).export({ format: "jwk" });
  const number = (value = ""): Buffer => {
    const bytes = Buffer.from(value, "base64url");
    return field((bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
  };
  const secret = Buffer.concat([jwk.d, jwk.p, jwk.q, jwk.qi].map((value) => number(value)));
  const shown = Buffer.from((await publicKey(file)).split(" ")[1] ?? "", "base64");
  const signed = [Buffer.from("ssh-rsa"), Buffer.from("none"), Buffer.from("me"), shown, secret];
  const macKey = createHash("sha1").update("putty-private-key-file-mac-key").digest();
  const mac = createHmac("sha1", macKey)
    .update(Buffer.concat(signed.map(field)))
    .digest("hex");
  const lines = (bytes: Buffer): string[] => bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return [
    "PuTTY-User-Key-File-2: ssh-rsa",
    "Encryption: none",
    "Comment: me",
    `Public-Lines: ${lines(shown).length}`,
    ...lines(shown),
    `Private-Lines: ${lines(secret).length}`,
    ...lines(secret),
    `Private-MAC: ${mac}`,
    "",
  ].join("\r\n");
}
