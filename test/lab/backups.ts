/** Room for the sets of a lab, and the key that opens them. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import type { LabBackups } from "./lab.ts";

/** Takes the folder of a lab, in which `secrets` stands; returns where its sets go. */
export async function makeBackups(folder: string): Promise<LabBackups> {
  const identity = await generateX25519Identity();
  const identityFile = path.join(folder, "secrets", "age.key");
  writeFileSync(identityFile, `${identity}\n`, { mode: 0o600 });
  const sets = path.join(folder, "backups");
  mkdirSync(sets, { mode: 0o700 });
  return { folder: sets, identityFile, recipient: await identityToRecipient(identity) };
}
