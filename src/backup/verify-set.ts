import { Readable } from "node:stream";
import type { BackupDriver, ElsewhereFindings } from "../services/backup-driver.ts";
import type { ByteDigest, PartRecord } from "../services/set-content.ts";
import { describeError, OperatorError } from "../system/errors.ts";
import { countOf } from "../system/quantities.ts";
import { compareDigests, digestBytes } from "./digest-bytes.ts";
import type { StoredSet } from "./list-sets.ts";
import { type ReadOptions, readPart } from "./read-set.ts";
import type { Level, VerifyReport } from "./reports.ts";
import { dataPrefix, NotStoredError, partKey, RESTORE_NAME } from "./store.ts";

export interface VerifyOptions extends ReadOptions {
  level: Level;
  driver: BackupDriver;
  update: (line: string) => void;
  /** What is wrong with what the set stands for elsewhere; asked where its own parts are whole. */
  lookElsewhere?: () => Promise<ElsewhereFindings>;
}

/**
 * Given a set, compare what is stored with its manifest as closely as the level says, and return what was found. Throws where that could not be
 * found out: a destination that does not answer, no key for an encrypted set.
 */
export async function verifySet(set: StoredSet, options: VerifyOptions): Promise<VerifyReport> {
  const at = new Date();
  const findings = await compareSizes(set);
  const isWhole = new Set(findings.map(({ path }) => path));
  const { parts, restoreText } = set.manifest;
  if (options.level !== "sizes") {
    for (const [index, part] of parts.entries()) {
      options.update(`${set.setId}: ${index} of ${parts.length} parts`);
      if (isWhole.has(part.path)) continue;
      const problem =
        options.level === "hashes"
          ? await compareHash(set, part)
          : await decodePart(set, part, options);
      if (problem !== undefined) findings.push({ path: part.path, problem });
    }
    if (!isWhole.has(RESTORE_NAME)) {
      const problem = await compareHash(set, { path: RESTORE_NAME, stored: restoreText });
      if (problem !== undefined) findings.push({ path: RESTORE_NAME, problem });
    }
  }
  const { findings: elsewhere = [], readBack } =
    (findings.length === 0 && (await options.lookElsewhere?.())) || {};
  return {
    kind: "verify",
    at: at.toISOString(),
    level: options.level,
    ok: findings.length === 0 && elsewhere.length === 0,
    findings: [...findings.map(({ path, problem }) => `${path}: ${problem}`), ...elsewhere],
    ...(readBack && { readBack }),
    tookMs: Date.now() - at.getTime(),
  };
}

interface PartFinding {
  path: string;
  problem: string;
}

async function compareSizes(set: StoredSet): Promise<PartFinding[]> {
  const { store, job, setId, manifest } = set;
  const prefix = dataPrefix(job, setId);
  const expected = new Map<string, number>([
    [RESTORE_NAME, manifest.restoreText.bytes],
    ...manifest.parts
      .filter((part) => part.in === undefined)
      .map(({ path, stored }) => [path, stored.bytes] as const),
  ]);
  const findings: PartFinding[] = [];
  const there = new Set<string>();
  for await (const { key, bytes } of store.list(prefix)) {
    const path = key.slice(prefix.length);
    there.add(path);
    const wanted = expected.get(path);
    if (wanted === undefined) findings.push({ path, problem: "it is none of the set's parts" });
    else if (wanted !== bytes)
      findings.push({ path, problem: `${countOf(bytes, "byte")} instead of ${wanted}` });
  }
  for (const path of expected.keys())
    if (!there.has(path)) findings.push({ path, problem: "it is missing" });
  return [...findings, ...(await compareReferred(set, manifest.parts))];
}

/** Given a set and parts of it, return which of those that stand in earlier sets are not there as they were. */
export async function compareReferred(
  set: Pick<StoredSet, "store" | "job">,
  parts: readonly PartRecord[],
): Promise<PartFinding[]> {
  const sizes = new Map<string, number>();
  for (const earlier of new Set(parts.map((part) => part.in)))
    if (earlier !== undefined)
      for await (const { key, bytes } of set.store.list(dataPrefix(set.job, earlier)))
        sizes.set(key, bytes);
  return parts.flatMap((part) => {
    if (part.in === undefined) return [];
    const bytes = sizes.get(dataPrefix(set.job, part.in) + part.path);
    if (bytes === part.stored.bytes) return [];
    const problem =
      bytes === undefined ? "missing" : `${countOf(bytes, "byte")}, not ${part.stored.bytes}`;
    return [{ path: part.path, problem: `in ${part.in}, to which it refers: ${problem}` }];
  });
}

async function compareHash(
  set: StoredSet,
  part: { path: string; stored: ByteDigest; in?: string },
): Promise<string | undefined> {
  try {
    return compareDigests(await digestBytes(set.store.read(partKey(set, part))), part.stored);
  } catch (error) {
    if (error instanceof NotStoredError) return "it is missing";
    throw error;
  }
}

async function decodePart(
  set: StoredSet,
  part: PartRecord,
  options: VerifyOptions,
): Promise<string | undefined> {
  // First as it is stored: what is wrong with it then is the reason of all else.
  const problem = await compareHash(set, part);
  if (problem !== undefined) return problem;
  let failure: unknown;
  const watched = (async function* () {
    try {
      yield* readPart(set, part, options);
    } catch (error) {
      failure = error;
      throw error;
    }
  })();
  const content = Readable.from(watched, { objectMode: false });
  content.on("error", () => undefined);
  const found = await options.driver.checkPart(part, content).catch(describeError);
  // What the driver leaves unread must be read for its hash.
  for await (const _ of content.destroyed ? [] : (content as AsyncIterable<Buffer>)) continue;
  options.signal.throwIfAborted();
  // Without its key or its program nothing is known of the part: that is no finding.
  if (failure instanceof OperatorError && failure.kind !== "failed") throw failure;
  return failure === undefined ? found : describeError(failure);
}
