import type { BackupDriver, DriverOptions, ScratchPlace } from "../services/backup-driver.ts";
import type { Fact, SetReader } from "../services/set-content.ts";
import { describeError } from "../system/errors.ts";
import type { DrillReport } from "./reports.ts";
import type { ServicePlace } from "../reach/service-place.ts";

export interface DrillOptions extends DriverOptions {
  driver: BackupDriver;
  /** The service that the job backs up. */
  origin: ServicePlace;
  /** The place that the configuration gives up for drills. */
  configured?: ServicePlace;
}

/**
 * Given a set, restore it into a scratch place, measure there what was measured at its source, and return what came of it. Never throws but for
 * the signal: a restore that fails is the result. The scratch place is gone when it resolves, or `left` says what of it is not.
 */
export async function drillSet(set: SetReader, options: DrillOptions): Promise<DrillReport> {
  const { driver, signal } = options;
  const began = Date.now();
  const report = (rest: Partial<DrillReport> & Pick<DrillReport, "verdict">): DrillReport => ({
    kind: "drill",
    at: new Date().toISOString(),
    facts: 0,
    rows: 0,
    differences: [],
    tookMs: Date.now() - began,
    ...rest,
  });
  if (set.external && !set.external.isRestorable)
    return report({
      verdict: "not drilled",
      reason: `its bytes are a ${set.external.kind}, ${set.external.id}`,
    });
  if (driver.drill) {
    try {
      const { differences, ...found } = await driver.drill(set, options.origin, options);
      const compared = { ...found, differences };
      if (found.facts === 0)
        return report({ verdict: "failed", reason: "there was nothing to compare", ...compared });
      return differences.length === 0
        ? report({ verdict: "proven", ...compared })
        : report({
            verdict: "failed",
            reason: `${differences.length} of ${found.facts} objects are not as they were`,
            ...compared,
          });
    } catch (error) {
      signal.throwIfAborted();
      return report({ verdict: "failed", reason: describeError(error) });
    }
  }
  let scratch: ScratchPlace | undefined;
  const compare = async (): Promise<DrillReport> => {
    options.update(`${set.setId}: starting a scratch place`);
    const opened = await driver.openScratch(set, options);
    if ("needs" in opened)
      return report({ verdict: "not drilled", reason: `needs ${opened.needs}` });
    scratch = opened;
    const { target, description } = opened;
    await driver.restore(set, target, {
      ...options,
      isDone: () => false,
      markDone: () => Promise.resolve(),
    });
    options.update(`${set.setId}: comparing`);
    const found = await driver.measure(set, target, options);
    const differences = compareFacts(set.facts, found);
    const rows = set.facts.reduce((sum, fact) => sum + (fact.rows ?? 0), 0);
    const compared = { scratch: description, facts: set.facts.length, rows, differences };
    if (set.facts.length === 0)
      return report({ verdict: "failed", reason: "the set has no facts to compare", ...compared });
    return differences.length === 0
      ? report({ verdict: "proven", ...compared })
      : report({
          verdict: "failed",
          reason: `${differences.length} of ${set.facts.length} objects are not as they were`,
          ...compared,
        });
  };
  const result = await compare().catch((error: unknown) =>
    signal.aborted ? undefined : report({ verdict: "failed", reason: describeError(error) }),
  );
  const left = await scratch?.close();
  if (!result) throw signal.reason;
  return typeof left === "string" ? { ...result, left } : result;
}

/** Given the facts of a set and those found after a restore, return where they do not agree. Pure. */
function compareFacts(
  expected: readonly Fact[],
  found: readonly Fact[],
): { expected: Fact; found?: Fact }[] {
  const byObject = new Map(found.map((fact) => [fact.object, fact]));
  return expected.flatMap((fact) => {
    const other = byObject.get(fact.object);
    // Where the rows could not be counted at the source in the moment of its dump, the checksum says it all.
    const hasRows = fact.rows === undefined || other?.rows === fact.rows;
    if (other && hasRows && other.checksum === fact.checksum) return [];
    return [{ expected: fact, ...(other && { found: other }) }];
  });
}
