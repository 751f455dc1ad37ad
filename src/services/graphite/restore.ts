import { createHash } from "node:crypto";
import { OperatorError } from "../../system/errors.ts";
import { countOf, pluralOf } from "../../system/quantities.ts";
import type { RestoreOptions, RestorePlan, SelectOptions } from "../backup-driver.ts";
import type { PartRecord, SetReader } from "../set-content.ts";
import { INDEX_NAME } from "./dump.ts";
import { listFiles } from "./list-files.ts";
import type { Machine } from "./machine.ts";
import { nameOf, textOf, writeNames } from "./names.ts";

interface IndexLine {
  path: string;
  /** Of one that text does not say all of: its bytes, in Base64. Sets of before do not have it. */
  name?: string;
  /** ISO 8601, UTC. */
  modifiedAt: string;
  /** In which part it stands: the last one that has it counts. */
  part: string;
}

/** Given a set, return the files that `only` names (a metric, a folder, a file; absent: all). Throws `usage` where it names none. */
async function pickFiles(set: SetReader, only: string | undefined): Promise<IndexLine[]> {
  const part = set.parts.find(({ role }) => role === "index");
  if (!part) throw new OperatorError("failed", `the set ${set.setId} has no ${INDEX_NAME}`);
  let rest = "";
  const lines: IndexLine[] = [];
  for await (const chunk of set.read(part)) {
    const texts = (rest + (chunk as Buffer).toString("latin1")).split("\n");
    rest = texts.pop() ?? "";
    for (const text of texts)
      lines.push(JSON.parse(Buffer.from(text, "latin1").toString("utf8")) as IndexLine);
  }
  if (only === undefined) return lines;
  const asFolder = folderOf(only);
  const isPicked = (path: string): boolean =>
    path === asFolder || path === `${asFolder}.wsp` || path.startsWith(`${asFolder}/`);
  const picked = lines.filter(({ path }) => isPicked(path));
  if (picked.length > 0) return picked;
  throw new OperatorError("usage", `the set ${set.setId} has no metric ${only}`, {
    next: "name a metric, a folder or a file of it, e.g. stats.counters or stats/counters",
  });
}

/** As Graphite names it (`stats.counters`) or as the disk does; as the disk does. */
function folderOf(only: string): string {
  const name = only.replace(/^\/+|\/+$/g, "");
  return name.includes("/") || name.endsWith(".wsp") ? name : name.replaceAll(".", "/");
}

/** Given a machine and a folder, return what tells that place from any other: a hash of both, since it goes into manifests. */
export async function identifyPlace(machine: Machine, folder: string): Promise<string> {
  let id = "";
  // What a machine has neither of, it shares with others: then the folder alone tells.
  const words = ["cat", "/etc/machine-id"];
  for await (const chunk of machine.run(words, { isFailure: () => false })) id += chunk.toString();
  return createHash("sha256").update(`${id.trim()}\0${folder}`).digest("hex").slice(0, 32);
}

/** Given a set and a place, say what a restore would do there. */
export async function planFileRestore(
  set: SetReader,
  machine: Machine,
  folder: string,
  { only }: SelectOptions,
): Promise<RestorePlan> {
  const files = await pickFiles(set, only);
  const there = new Map(
    (await listFiles(machine, folder).catch(() => [])).map((file) => [textOf(file.path), file]),
  );
  const replaced = files.filter(({ path }) => there.has(path));
  const newer = replaced.filter(({ path, modifiedAt }) => {
    return (there.get(path)?.modified ?? 0) > Math.floor(Date.parse(modifiedAt) / 1000);
  });
  const count = new Map<string, number>();
  for (const { path } of files) {
    const object = path.split("/")[0] ?? path;
    count.set(object, (count.get(object) ?? 0) + 1);
  }
  return {
    objects: [...count].map(([object, of]) => `${object} (${countOf(of, "whisper file")})`),
    replaces:
      replaced.length === 0
        ? []
        : [
            `${countOf(replaced.length, "whisper file")} of the same ${pluralOf(replaced.length, "name")}`,
          ],
    ...(newer.length > 0 && {
      warnings: [
        {
          code: "NEWER_FILES",
          detail: `${newer.length} of them were written since, and lose what they have got since then`,
        },
      ],
    }),
    isSource: (await identifyPlace(machine, folder)) === set.source.serverId,
  };
}

/** Given a set and a place, unpack its parts there; each beside what stands there first, so that carbon never reads half of a file. */
export async function restoreFiles(
  set: SetReader,
  machine: Machine,
  folder: string,
  options: RestoreOptions,
): Promise<void> {
  const { only } = options;
  const files = await pickFiles(set, only);
  const wanted = new Map<string, IndexLine[]>();
  for (const line of files) {
    const lines = wanted.get(line.part) ?? [];
    lines.push(line);
    wanted.set(line.part, lines);
  }
  // A file that was read again stands in a later pack once more: the later one comes later.
  const parts = set.parts
    .filter(({ role, path }) => role === "pack" && wanted.has(path))
    .toSorted((one, other) => one.seq - other.seq);
  // What was put in place before a restore was cut off may have been cleared away since.
  const there = new Set(
    parts.some(options.isDone)
      ? (await listFiles(machine, folder).catch(() => [])).map((file) => textOf(file.path))
      : [],
  );
  const stands = (part: PartRecord): boolean =>
    options.isDone(part) && (wanted.get(part.path) ?? []).every(({ path }) => there.has(path));
  const staging = `${folder}/.lcops-${set.setId}`;
  const clear = (): Promise<void> => finish(machine.run(["rm", "-rf", "--", staging]));
  try {
    for (const [index, part] of parts.entries()) {
      options.update(`${index} of ${parts.length} packs`);
      if (stands(part)) continue;
      await clear();
      await finish(machine.run(["mkdir", "-p", "--", `${staging}/${UNPACKED}`]));
      await unpack(machine, staging, set.read(part), namesFor(only, wanted.get(part.path) ?? []));
      await putInPlace(machine, `${staging}/${UNPACKED}`, folder);
      await options.markDone(part);
    }
  } catch (error) {
    // What is half there takes room of a disk that may be full; where the machine is gone, the next restore clears it.
    await clear().catch(() => undefined);
    throw error;
  }
  await clear();
}

/** Of the room that a restore has beside the files: what came out of a pack, and which of it is wanted. */
const [UNPACKED, WANTED] = ["unpacked", "wanted"];

/** Of what is picked: the folders, the files, or both, as they stand in a pack, byte for byte; undefined: all of it. */
function namesFor(
  only: string | undefined,
  lines: readonly IndexLine[],
): readonly string[] | undefined {
  if (only === undefined) return undefined;
  const folder = folderOf(only);
  const levels = folder.split("/").length;
  const names = lines.map(({ path, name }) => {
    const bytes =
      name === undefined ? nameOf(path) : Buffer.from(name, "base64").toString("latin1");
    const isBelow = path.startsWith(`${folder}/`);
    return isBelow ? bytes.split("/").slice(0, levels).join("/") : bytes;
  });
  return [...new Set(names)];
}

async function unpack(
  machine: Machine,
  staging: string,
  input: AsyncIterable<Uint8Array>,
  names: readonly string[] | undefined,
): Promise<void> {
  const list = `${staging}/${WANTED}`;
  // What is no text crosses as bytes, and so does the rest.
  if (names)
    await finish(machine.run(["dd", `of=${list}`, "status=none"], { input: writeNames(names) }));
  const words = ["tar", "--extract", "--file=-", "--ignore-zeros"];
  words.push(`--directory=${staging}/${UNPACKED}`);
  // Else a backslash in a name would mean something.
  words.push("--no-unquote");
  if (names) words.push("--null", "--verbatim-files-from", `--files-from=${list}`);
  await finish(machine.run(words, { input }));
}

/**
 * Each file is put in place whole, once its bytes are on the disk: GNU cp makes a link with `--link --force` under another name first, and renames it
 * over what stands there, so that nobody finds neither. What is there belongs to whom the folder belongs to.
 */
async function putInPlace(machine: Machine, unpacked: string, folder: string): Promise<void> {
  const isOptional = { isFailure: () => false };
  // Only root can.
  await finish(machine.run(["chown", "-R", `--reference=${folder}`, "--", unpacked], isOptional));
  await finish(machine.run(["chmod", `--reference=${folder}`, "--", unpacked]));
  await finish(machine.run(["sync", "--file-system", "--", unpacked]));
  await finish(
    machine.run([
      "cp",
      "--recursive",
      "--link",
      "--force",
      "--preserve=all",
      "--",
      `${unpacked}/.`,
      folder,
    ]),
  );
}

async function finish(output: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of output) continue;
}
