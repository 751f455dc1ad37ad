import { createReadStream } from "node:fs";
import { mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../system/atomic-file.ts";
import { decompress } from "../system/compress.ts";
import { describeError, OperatorError } from "../system/errors.ts";
import { findProgram, runProgram } from "../system/program.ts";
import { streamThrough } from "../system/stream-through.ts";
import {
  initialiseData,
  logIn,
  type RamProgram,
  socketIn,
  startRamServer,
  stopRamServer,
} from "./ram-server.ts";
import { systemEnvironment } from "./run-as-root.ts";

const COPY_LIMIT_MS = 300_000;

/** The data that a server in memory begins with, kept on the disk. */
export interface Template {
  folder: string;
  /** Of SQL, absolute; absent: an empty server. */
  seed?: string | undefined;
}

interface MakeOptions {
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
  update: (line: string) => void;
}

/** Given a template and the server, return whether it was made of this very seed by this version; throws `configuration` where there is no such seed. */
export async function isCurrent(template: Template, program: RamProgram): Promise<boolean> {
  const made = await readFile(join(template.folder, "made.json"), "utf8").catch(() => "");
  return made === (await describe(template, program));
}

async function describe({ seed }: Template, { version }: RamProgram): Promise<string> {
  return `${JSON.stringify({ version, seed: seed === undefined ? null : await statSeed(seed) })}\n`;
}

/** Given the path of a seed, return what tells it from another. Throws `configuration` where it cannot be read. */
export async function statSeed(
  seed: string,
): Promise<{ path: string; sizeBytes: number; changedMs: number }> {
  try {
    const { size, mtimeMs } = await stat(seed);
    return { path: seed, sizeBytes: size, changedMs: mtimeMs };
  } catch (error) {
    throw new OperatorError("configuration", `the seed cannot be read: ${describeError(error)}`, {
      next: "correct workstation.services, or put the file there",
    });
  }
}

/**
 * Given a template and a folder on the RAM disk that is not there yet, make its data there: an empty server, and the seed read into it. The data stays
 * there, at rest; a copy of it is the template from now on.
 */
export async function makeTemplate(
  template: Template,
  program: RamProgram,
  data: string,
  options: MakeOptions,
): Promise<void> {
  const { environment, signal, update } = options;
  const description = await describe(template, program);
  update("making the data of an empty server");
  await initialiseData(program, data, environment);
  if (template.seed !== undefined) {
    signal.throwIfAborted();
    await startRamServer(program, data, { environment, signal });
    try {
      update(`reading ${template.seed} into it`);
      await readSeed(template.seed, data, options);
    } catch (error) {
      await stopRamServer(data, "SIGKILL");
      throw error;
    }
    await stopRamServer(data, "SIGTERM");
  }
  await rm(logIn(data), { force: true });
  signal.throwIfAborted();
  update("keeping a copy on the disk");
  const kept = join(template.folder, "data");
  await mkdir(template.folder, { recursive: true, mode: 0o700 });
  for (const old of ["made.json", "data", "data.part"])
    await rm(join(template.folder, old), { recursive: true, force: true });
  await copyData(data, `${kept}.part`, options);
  await runProgram("sync", ["-f", `${kept}.part`], { timeoutMs: COPY_LIMIT_MS, environment });
  await rename(`${kept}.part`, kept);
  await writeFileAtomically(join(template.folder, "made.json"), description);
}

async function readSeed(
  seed: string,
  data: string,
  { environment, signal }: MakeOptions,
): Promise<void> {
  const all = systemEnvironment(environment);
  const client = await findProgram(["mariadb", "mysql"], all["PATH"] ?? "");
  if (client === undefined) {
    throw new OperatorError("missing", "the program mariadb is not installed", {
      next: "install mariadb-client",
    });
  }
  const file = createReadStream(seed);
  const sql = decompress(file, seed.endsWith(".gz") ? "gzip" : "none", { signal });
  const args = ["--no-defaults", `--socket=${socketIn(data)}`, "--max-allowed-packet=1G"];
  const output = streamThrough(client, args, sql, { environment: all, signal });
  // What its statements select is nobody's concern.
  for await (const _ of output);
}

/** Given data at rest and a folder that is not there yet, copy it. Throws `failed`, a full RAM disk included. */
export async function copyData(
  from: string,
  to: string,
  { environment, signal }: Pick<MakeOptions, "environment" | "signal">,
): Promise<void> {
  const { code, stderr } = await runProgram("cp", ["-a", "--no-target-directory", "--", from, to], {
    environment: systemEnvironment(environment),
    signal,
    timeoutMs: COPY_LIMIT_MS,
  });
  if (code === 0) return;
  const why = stderr.trim().split("\n").at(-1) ?? "";
  throw new OperatorError("failed", `the data could not be copied: ${why}`);
}
