import { join } from "node:path";
import type { SetReader } from "../set-content.ts";
import { OperatorError } from "../../system/errors.ts";
import { type Catalog, parseCatalog, readCatalogFile } from "./catalog.ts";
import type { ObjectSide } from "./object-side.ts";

/**
 * Given a set and the place where the job's copy is now, return the catalog of the set. That of the job's last run is at hand, and needs no key.
 * Throws `failed` where the set is that of another place.
 */
export async function readSetCatalog(
  set: SetReader,
  side: ObjectSide,
  jobFolder: string | undefined,
): Promise<Catalog> {
  const catalog = (await findAtHand(set, jobFolder)) ?? (await readStored(set));
  if (catalog.head?.copy === side.identity) return catalog;
  await catalog.close();
  throw new OperatorError("failed", `the objects of ${set.setId} are not at ${side.place}`, {
    next: "the job copies to another place now than it did then; correct s3.to of the job",
  });
}

async function findAtHand(
  { setId }: SetReader,
  jobFolder: string | undefined,
): Promise<Catalog | undefined> {
  if (jobFolder === undefined) return undefined;
  const catalog = await readCatalogFile(join(jobFolder, "catalog.ndjson"));
  if (catalog.head?.setId === setId) return catalog;
  await catalog.close();
  return undefined;
}

async function readStored(set: SetReader): Promise<Catalog> {
  const part = set.parts.find(({ role }) => role === "catalog");
  if (part) return parseCatalog(set.read(part));
  throw new OperatorError("failed", `the set ${set.setId} has no catalog`);
}
