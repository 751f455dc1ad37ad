import { OperatorError } from "../../system/errors.ts";
import type {
  BackupWarning,
  DriverOptions,
  DumpOutcome,
  DumpPlan,
  PartSink,
} from "../backup-driver.ts";
import { encodePartName } from "../part-name.ts";
import { findLinks, type FoundLink } from "./find-links.ts";
import { type FoundFile, listFiles, objectOf } from "./list-files.ts";
import type { Machine } from "./machine.ts";
import { nameOf, textOf, writeNames } from "./names.ts";
import { parseTarWords } from "./parse-tar-words.ts";
import { sumFacts } from "./sum-facts.ts";
import { type PackedFile, watchPack } from "./watch-pack.ts";

/** A pack is one thing to store, to verify and to begin again. */
const PACK_BYTES = 256 * 1024 * 1024;
/** How often a file that changes while it is read is read again. */
const TRIES = 3;
/** carbon has some broken files in the best of houses; more is news. */
const MOST_BROKEN = 0.001;

interface Pack {
  object: string;
  seq: number;
  files: FoundFile[];
}

/** What was read of one file at last, and in which part it stands. */
interface IndexEntry extends PackedFile {
  part: string;
}

/** Given a machine and a folder, return what a dump of it would hold. Throws `failed` where there is nothing. */
export async function planDump(machine: Machine, folder: string): Promise<DumpPlan> {
  const files = await listFiles(machine, folder);
  // A set of nothing would pass for a backup, and push out those that have something.
  if (files.length === 0)
    throw new OperatorError("failed", `there is no whisper file below ${folder}`, {
      next: "set graphite.folder of the backup job to where they are",
    });
  const sizes = new Map<string, number>();
  for (const { path, bytes } of files)
    sizes.set(objectOf(path), (sizes.get(objectOf(path)) ?? 0) + bytes);
  return {
    objects: [...sizes].map(([name, estimatedBytes]) => ({ name, estimatedBytes })),
  };
}

/**
 * Given a machine, a folder and a sink, write its whisper files as packs, with an index of what they hold. A file that changes while it is read
 * is read again, up to three times; one that vanishes is not missed; one that cannot be read makes the set incomplete.
 */
export async function dumpFiles(
  machine: Machine,
  folder: string,
  sink: PartSink,
  options: DriverOptions & { serverId: string },
): Promise<DumpOutcome> {
  const at = new Date().toISOString();
  const index = new Map<string, IndexEntry>();
  const sequences = new Map<string, number>();
  const problems: Problems = { unreadable: new Map(), vanished: new Set(), fuzzy: new Set() };
  const all = await listFiles(machine, folder);
  const links = await findLinks(machine, folder);
  let retries = 0;
  let left = all;
  for (let tried = 1; left.length > 0; tried++) {
    const changed: string[] = [];
    let done = 0;
    await Promise.all(
      planPacks(left, sequences).map(async (pack) => {
        const found = await writePack(machine, folder, pack, sink, { problems, changed });
        for (const file of found.files) index.set(file.path, { ...file, part: found.part });
        done += pack.files.length;
        options.update(`${done} of ${left.length} whisper files`);
      }),
    );
    const again = new Set(changed);
    if (again.size === 0) break;
    if (tried === TRIES) {
      for (const path of again) problems.fuzzy.add(path);
      break;
    }
    retries += again.size;
    left = left.filter(({ path }) => again.has(path));
  }
  // What changed and then was gone stands as it was first read.
  for (const path of problems.vanished)
    if (index.has(path) && problems.vanished.delete(path)) problems.fuzzy.add(path);
  const entries = [...index.values()].toSorted((one, other) => (one.path < other.path ? -1 : 1));
  await writeIndex(entries, sink);
  return {
    consistency: {
      level: problems.fuzzy.size > 0 ? "fuzzy" : "per-object",
      at,
      proof: {
        files: entries.length,
        readAgain: retries,
        stillChanging: problems.fuzzy.size,
        vanished: problems.vanished.size,
      },
    },
    source: { engine: "whisper", version: "1", serverId: options.serverId },
    facts: sumFacts(entries),
    skipped: [
      ...[...problems.unreadable].map(([path, reason]) => ({ object: textOf(path), reason })),
      ...links
        .filter(({ isInside }) => !isInside)
        .map(({ path }) => ({ object: textOf(path), reason: LEADS_OUT })),
      // An object all of whose files vanished has no part.
      ...[...new Set([...problems.vanished].map(objectOf))]
        .filter(
          (object) =>
            !sequences.has(object) || !entries.some(({ path }) => objectOf(path) === object),
        )
        .map((object) => ({ object, reason: "all of its files have vanished" })),
    ],
    warnings: describeProblems(entries, problems, links),
  };
}

const LEADS_OUT =
  "it is a symbolic link out of the whisper files, which is not followed; a mount in its place is (mount --bind)";

/** Paths are byte for byte. */
interface Problems {
  unreadable: Map<string, string>;
  vanished: Set<string>;
  fuzzy: Set<string>;
}

function planPacks(files: readonly FoundFile[], sequences: Map<string, number>): Pack[] {
  const packs: Pack[] = [];
  let [current, size]: [Pack | undefined, number] = [undefined, 0];
  for (const file of files) {
    const object = objectOf(file.path);
    if (!current || current.object !== object || size + file.bytes > PACK_BYTES) {
      const seq: number = sequences.get(object) ?? 0;
      sequences.set(object, seq + 1);
      current = { object, seq, files: [] };
      packs.push(current);
      size = 0;
    }
    current.files.push(file);
    size += file.bytes;
  }
  return packs;
}

/** Only of these two codes is what GNU tar wrote an archive: all well, and some files changed (GNU tar manual, return values). */
const ARCHIVED = new Set([0, 1]);

async function writePack(
  machine: Machine,
  folder: string,
  pack: Pack,
  sink: PartSink,
  { problems, changed }: { problems: Problems; changed: string[] },
): Promise<{ files: PackedFile[]; part: string }> {
  const files: PackedFile[] = [];
  let said = "";
  let isWhole = true;
  const archive = machine.run(
    [
      "tar",
      "--create",
      "--file=-",
      `--directory=${folder}`,
      "--format=gnu",
      "--ignore-failed-read",
      "--quoting-style=escape",
      "--no-recursion",
      "--null",
      "--verbatim-files-from",
      "--files-from=-",
    ],
    {
      input: writeNames(pack.files.map(({ path }) => path)),
      isFailure: (code, stderr) => {
        said = stderr;
        isWhole = code === 0;
        return !ARCHIVED.has(code);
      },
    },
  );
  const name = `graphite/${encodePartName(pack.object)}/pack.${String(pack.seq).padStart(4, "0")}.tar`;
  const { object } = pack;
  const part = { path: name, object, role: "pack", seq: pack.seq };
  const record = await sink.write(
    part,
    watchPack(archive, (file) => files.push(file)),
  );
  const there = new Set(files.map(({ path }) => path));
  const words = parseTarWords(said);
  // Something changed, and it is not known what: each file may be it.
  const isUnclear = !isWhole && words.changed.size + words.unreadable.size + words.gone.size === 0;
  for (const { path } of pack.files) {
    if (there.has(path)) {
      if (isUnclear || words.changed.has(path)) changed.push(path);
    } else if (words.gone.has(path)) problems.vanished.add(path);
    // What is not said to be gone is missing.
    else problems.unreadable.set(path, "it cannot be read");
  }
  return { files, part: record.path };
}

/** As text; beside it byte for byte, in Base64, where text does not say it all. */
function describeName(path: string): { path: string; name?: string } {
  const text = textOf(path);
  if (nameOf(text) === path) return { path: text };
  return { path: text, name: Buffer.from(path, "latin1").toString("base64") };
}

/** How the part with the index is called. */
export const INDEX_NAME = "graphite/index.ndjson";

async function writeIndex(entries: readonly IndexEntry[], sink: PartSink): Promise<void> {
  const LINES = 500;
  const lines = async function* (): AsyncIterable<Buffer> {
    for (let at = 0; at < entries.length; at += LINES) {
      const text = entries
        .slice(at, at + LINES)
        .map((entry) => `${JSON.stringify({ ...entry, ...describeName(entry.path) })}\n`);
      yield Buffer.from(text.join(""));
    }
  };
  await sink.write({ path: INDEX_NAME, object: "index", role: "index", seq: 0 }, lines());
}

function describeProblems(
  entries: readonly IndexEntry[],
  { fuzzy, vanished }: Problems,
  links: readonly FoundLink[],
): BackupWarning[] {
  const broken = entries.filter(({ problem }) => problem !== undefined);
  const one = (code: string, paths: readonly string[], detail: string): BackupWarning[] =>
    paths.length === 0
      ? []
      : [
          {
            code,
            object: textOf(paths[0] ?? ""),
            detail: `${detail}${paths.length > 1 ? `; ${paths.length} in all` : ""}`,
          },
        ];
  return [
    ...one(
      "CHANGED_WHILE_READ",
      [...fuzzy],
      "it changed each time that it was read, or is gone since",
    ),
    ...one(
      "LINK",
      links.filter(({ isInside }) => isInside).map(({ path }) => path),
      "a symbolic link is not in the set; what it leads to is, by its own name",
    ),
    ...one("VANISHED", [...vanished], "it was gone before it was read"),
    ...one(
      broken.length > entries.length * MOST_BROKEN ? "BROKEN_FILES" : "BROKEN_FILE",
      broken.map(({ path }) => path),
      broken[0]?.problem ?? "",
    ),
  ];
}
