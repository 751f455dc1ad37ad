import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../system/atomic-file.ts";
import type { Hop } from "./route.ts";

/** How a host let in the last time: with which public key (its fingerprint), or through the `ssh` program. */
export interface LastIdentity {
  fingerprint?: string;
  throughProgram?: true;
}

/** Given the state folder and a hop, return what is remembered of it; nothing where that cannot be read. */
export async function recallIdentity(
  stateFolder: string | undefined,
  hop: Hop,
): Promise<LastIdentity> {
  if (stateFolder === undefined) return {};
  try {
    const known = JSON.parse(
      await readFile(pathOf(stateFolder, hop), "utf8"),
    ) as LastIdentity | null;
    return {
      ...(typeof known?.fingerprint === "string" && { fingerprint: known.fingerprint }),
      ...(known?.throughProgram === true && { throughProgram: true }),
    };
  } catch {
    return {};
  }
}

/** Given how a hop has let in, remember it; not to be able to costs the next connection a try, and this one nothing. */
export async function rememberIdentity(
  stateFolder: string | undefined,
  hop: Hop,
  identity: LastIdentity,
): Promise<void> {
  if (stateFolder === undefined) return;
  const known = await recallIdentity(stateFolder, hop);
  const isSame =
    known.fingerprint === identity.fingerprint && known.throughProgram === identity.throughProgram;
  if (isSame) return;
  await writeFileAtomically(pathOf(stateFolder, hop), `${JSON.stringify(identity)}\n`).catch(
    () => undefined,
  );
}

function pathOf(stateFolder: string, hop: Hop): string {
  const name = encodeURIComponent(`${hop.user}@${hop.name}`).slice(-120);
  return join(stateFolder, "identities", `${name}.json`);
}
