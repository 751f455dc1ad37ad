import { join } from "node:path";
import type { Readable } from "node:stream";
import type { ServicePlace } from "../../reach/service-place.ts";
import type { BackupDriver, DriverOptions } from "../backup-driver.ts";
import { type RestoreTarget, serviceOf } from "../restore-target.ts";
import type { Fact, PartRecord, SetContent } from "../set-content.ts";
import { OperatorError } from "../../system/errors.ts";
import { dumpFiles, INDEX_NAME, planDump } from "./dump.ts";
import { checkPrograms } from "./check-programs.ts";
import { listFiles, objectOf } from "./list-files.ts";
import { farMachine, type Machine, thisMachine } from "./machine.ts";
import { writeNames } from "./names.ts";
import { identifyPlace, planFileRestore, restoreFiles } from "./restore.ts";
import { sumFacts } from "./sum-facts.ts";
import { readPack, watchPack } from "./watch-pack.ts";
import type { GraphiteJob } from "./settings.ts";

/** Where Debian's package keeps them. */
const USUAL_FOLDER = "/var/lib/graphite/whisper";

/** The whisper files of a Graphite, as packs of a tar each, read where they stand: no carbon is asked. */
export const graphiteBackup: BackupDriver = {
  plan: async (place, options) => {
    const { machine, folder } = await open({ kind: "service", place }, options);
    return planDump(machine, folder);
  },
  dump: async (place, _plan, sink, options) => {
    const { machine, folder } = await open({ kind: "service", place }, options);
    const serverId = await identifyPlace(machine, folder);
    return dumpFiles(machine, folder, sink, { ...options, serverId });
  },
  checkPart,
  planRestore: async (set, target, options) => {
    const { machine, folder } = await open(target, options);
    return planFileRestore(set, machine, folder, options);
  },
  restore: async (set, target, options) => {
    const { machine, folder } = await open(target, options);
    return restoreFiles(set, machine, folder, options);
  },
  // Any folder will do: the files are read back by their own format, point by point.
  openScratch: async (_set, options) => ({
    target: { kind: "folder", folder: join(options.folder, "whisper") },
    description: "a folder of its own, every file read back point by point",
    close: () => Promise.resolve(),
  }),
  measure: async (set, target, options) => {
    const { machine, folder } = await open(target, options);
    return measure(set, machine, folder);
  },
  describeRestore: (set, decode) => [
    "Each pack is a tar archive of whisper files; later packs come later. Stop carbon first.",
    "",
    "FOLDER=/var/lib/graphite/whisper",
    ...set.parts
      .filter(({ role }) => role === "pack")
      .toSorted((one, other) => one.seq - other.seq)
      .map((part) => `${decode(part)} | tar -x -C "$FOLDER" -f -`),
    "",
    "The index lists every file with its size, time and SHA-256:",
    ...set.parts.filter(({ role }) => role === "index").map((part) => decode(part)),
  ],
};

async function open(
  target: RestoreTarget,
  { job, environment, signal }: DriverOptions,
): Promise<{ machine: Machine; folder: string }> {
  const isHere = target.kind === "folder";
  const folder = isHere ? target.folder : folderOf(serviceOf(target), job);
  const connection = isHere ? undefined : await serviceOf(target).host();
  const machine = connection ? farMachine(connection, signal) : thisMachine(environment, signal);
  await checkPrograms(machine);
  return { machine, folder: folder.replace(/(?<=.)\/+$/, "") };
}

function folderOf({ name, within }: ServicePlace, job: GraphiteJob): string {
  const folder = within ?? job.graphite?.folder ?? USUAL_FOLDER;
  if (folder.startsWith("/")) return folder;
  throw new OperatorError("usage", `the folder ${folder} is not absolute`, {
    next: `name it whole, e.g. ${name}//srv/whisper`,
  });
}

async function measure(set: SetContent, machine: Machine, folder: string): Promise<Fact[]> {
  const wanted = new Set(set.facts.map(({ object }) => object));
  const files = (await listFiles(machine, folder)).filter(({ path }) => wanted.has(objectOf(path)));
  const found: Parameters<typeof sumFacts>[0] = await readPack(
    machine.run(
      [
        "tar",
        "--create",
        "--file=-",
        `--directory=${folder}`,
        "--format=gnu",
        "--no-recursion",
        "--null",
        "--verbatim-files-from",
        "--files-from=-",
      ],
      { input: writeNames(files.map(({ path }) => path)) },
    ),
  );
  return sumFacts(found);
}

/** A pack must be a whole archive of whole files, the index whole lines. What was broken at its source already is in the set's warnings, and no finding. */
async function checkPart(part: PartRecord, content: Readable): Promise<string | undefined> {
  try {
    if (part.role === "index") {
      let rest = "";
      for await (const chunk of content as AsyncIterable<Buffer>) {
        const lines = (rest + chunk.toString("latin1")).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) JSON.parse(Buffer.from(line, "latin1").toString("utf8"));
      }
      return rest === "" ? undefined : `the last line of ${INDEX_NAME} is cut off`;
    }
    for await (const _ of watchPack(content, () => {})) continue;
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
