import type { DriverOptions, ElsewhereFindings } from "../backup-driver.ts";
import type { SetReader } from "../set-content.ts";
import { describeError } from "../../system/errors.ts";
import { countOf } from "../../system/quantities.ts";
import { DamagedBytesError } from "./check-bytes.ts";
import type { CatalogEntry } from "./object-entry.ts";
import { LostCopyError, type ObjectSide } from "./object-side.ts";
import { keepPace, type Pace } from "./keep-pace.ts";
import { withCopy } from "./open-places.ts";
import { pickObjects, sampleObjects } from "./pick-objects.ts";
import { runInOrder } from "./run-in-order.ts";
import { readSetCatalog } from "./set-catalog.ts";
import type { ServicePlace } from "../../reach/service-place.ts";
import type { S3Config } from "./settings.ts";

/** So many objects are read back where all would be too many. */
const SAMPLE = 200;
/** Named one by one up to so many; the rest is counted. */
const NAMED = 50;

interface Findings {
  add(key: string, problem: string): void;
  list(): string[];
}

/**
 * Given a set, compare its copy with its catalog: what is there and how large; at `hashes` a sample of the objects is read back too, at `decode` every
 * one. Returns what was found, object by object. Throws where that could not be found out.
 */
export function verifyCopy(
  set: SetReader,
  place: ServicePlace<S3Config>,
  level: "sizes" | "hashes" | "decode",
  options: DriverOptions & { jobFolder: string },
): Promise<ElsewhereFindings> {
  const pace = keepPace(options.signal);
  return withCopy(place, options, { pace, action: "s3:GetObject" }, async ({ side }) => {
    const findings = collectFindings();
    const all = async (): Promise<AsyncGenerator<CatalogEntry[]>> =>
      pickObjects(await readSetCatalog(set, side, options.jobFolder), undefined);
    await inspectAll(side, await all(), findings, options);
    if (level === "sizes" || findings.list().length > 0) return { findings: findings.list() };
    const objects =
      level === "decode" ? await all() : onePage(await sampleObjects(await all(), SAMPLE));
    const readBack = await readObjects(side, objects, { findings, pace, ...options });
    return { findings: findings.list(), readBack };
  });
}

async function inspectAll(
  side: ObjectSide,
  objects: AsyncIterable<readonly CatalogEntry[]>,
  findings: Findings,
  { update }: DriverOptions,
): Promise<void> {
  const inspection = side.inspect();
  let done = 0;
  try {
    for await (const entries of objects) {
      for (const entry of entries) {
        const misfit = await inspection.check(entry);
        if (misfit) findings.add(entry.key, misfit.problem);
      }
      update(`${countOf((done += entries.length), "object")} looked for`);
    }
  } finally {
    await inspection.end();
  }
}

async function readObjects(
  side: ObjectSide,
  objects: AsyncIterable<readonly CatalogEntry[]>,
  { findings, pace, update }: { findings: Findings; pace: Pace } & Pick<DriverOptions, "update">,
): Promise<NonNullable<ElsewhereFindings["readBack"]>> {
  const counts = { objects: 0, unhashed: 0 };
  const read = async (entry: CatalogEntry): Promise<void> => {
    const found = await readOne(side, entry, pace);
    if (typeof found === "string") findings.add(entry.key, found);
    else if (!found.isHashed) counts.unhashed++;
    update(`${countOf(++counts.objects, "object")} read back`);
  };
  for await (const _ of runInOrder(objects, read)) continue;
  return counts;
}

/** Given an entry, read its copy to the end; return what is wrong with it, or whether its bytes could be compared with a hash. */
async function readOne(
  side: ObjectSide,
  entry: CatalogEntry,
  pace: Pace,
): Promise<string | { isHashed: boolean }> {
  let problem: string | undefined;
  const isHashed = await pace.run(async () => {
    problem = undefined;
    try {
      const { content, isHashed } = await side.open(entry);
      for await (const _ of content.bytes) continue;
      return isHashed;
    } catch (error) {
      if (!(error instanceof LostCopyError) && !(error instanceof DamagedBytesError)) throw error;
      problem = describeError(error);
      return false;
    }
  });
  return problem ?? { isHashed };
}

function collectFindings(): Findings {
  const named: string[] = [];
  let count = 0;
  return {
    add: (key, problem) => {
      if (++count <= NAMED) named.push(`${key}: ${problem}`);
    },
    list: () =>
      count > named.length
        ? [...named, `and ${countOf(count - named.length, "more object")}`]
        : named,
  };
}

async function* onePage<T>(items: readonly T[]): AsyncGenerator<readonly T[]> {
  yield items;
}
