import { access, readdir, rename, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { describeError, errorCode, OperatorError } from "../system/errors.ts";
import { describeMegabytes } from "../system/quantities.ts";
import type {
  MachineChange,
  MachineService,
  MachineTools,
  Observation,
} from "./machine-service.ts";
import {
  checkRoom,
  defaultRamFolder,
  isOwnRam,
  measureFolder,
  prepareRamFolder,
  releaseRamFolder,
} from "./ram-disk.ts";
import {
  findRamProgram,
  findRamServer,
  type RamProgram,
  SERVER_BYTES,
  socketIn,
  startRamServer,
  stopRamServer,
} from "./ram-server.ts";
import { copyData, isCurrent, makeTemplate, statSeed, type Template } from "./ram-template.ts";

export interface RamMysqlConfig {
  seed?: string | undefined;
  port?: number | undefined;
  folder?: string | undefined;
  sizeMb?: number | undefined;
}

/** An empty server's own data. */
const EMPTY_BYTES = 64 * 2 ** 20;
/** What SQL becomes as data, indices included; compressed SQL, ten times as much. */
const OF_SEED = 2;

interface Ram {
  folder: string;
  /** Of the server that runs. Everything of it is here, and nothing of it elsewhere. */
  data: string;
  template: Template;
  config: RamMysqlConfig;
  tools: MachineTools;
}

/**
 * Given what the second MySQL of this machine is like, return it as a service of the panel: a MariaDB whose data is on a RAM disk, seeded from a
 * template. It reads no configuration of the machine's own server, and its data is never anywhere near.
 */
export function ramMysqlService(
  name: string,
  config: RamMysqlConfig,
  tools: MachineTools,
): MachineService {
  const folder = config.folder ?? defaultRamFolder(name);
  const ram: Ram = {
    folder,
    data: join(folder, "data"),
    template: { folder: join(tools.cacheFolder, "rammysql", name), seed: config.seed },
    config,
    tools,
  };
  return {
    observe: () => observe(ram),
    plan: async (to, seen) => (to === "on" ? planOn(ram) : planOff(ram, seen)),
    planReset: (seen) => planReset(ram, seen),
  };
}

async function observe({ folder, data, tools }: Ram): Promise<Observation> {
  if (!(await findRamProgram(tools.environment)))
    return { state: "not installed", detail: "MariaDB's server is needed" };
  const isThere = await exists(data);
  // A server's own data may be below a folder that was named by mistake: it would be removed.
  if (isThere && !(await isOwnRam(folder)))
    return { state: "unknown", detail: `${data} is there, and on no RAM disk of this user` };
  const pid = await findRamServer(data);
  const size = isThere
    ? describeMegabytes(await measureFolder(folder), { base: 1024, round: Math.round })
    : "";
  if (pid !== undefined)
    return {
      state: "on",
      detail: `${size} in memory, lost when it ends; socket ${socketIn(data)}`,
      pid,
    };
  return isThere
    ? { state: "failed", detail: `its server has ended, and its data is still there, ${size}` }
    : { state: "off" };
}

async function planOn(ram: Ram): Promise<MachineChange> {
  const { data, template, tools } = ram;
  const program = await demandProgram(tools);
  // A server that was killed: what it had is still whole in memory, and it recovers it.
  if (await exists(data)) {
    return {
      lines: [`start its server on the data that is there, in ${data}`],
      danger: "writes",
      undo: "lcops machine off",
      run: () => start(ram, program),
    };
  }
  return {
    lines: [...(await describeSeeding(ram, program)), `start MariaDB ${program.version} on it`],
    danger: "writes",
    undo: "lcops machine off",
    run: async () => {
      await seedAndStart(ram, program, await isCurrent(template, program));
    },
  };
}

async function describeSeeding(
  { data, template }: Ram,
  program: RamProgram,
): Promise<readonly string[]> {
  const made = await isCurrent(template, program);
  const from = template.seed === undefined ? "an empty server" : template.seed;
  return made
    ? [`copy its template into ${data}`]
    : [`make ${data} of ${from}`, `keep a copy as its template in ${template.folder}`];
}

function planOff(ram: Ram, { detail }: Observation): MachineChange {
  const { data, folder, tools } = ram;
  return {
    lines: [`end its server, and remove ${data}`, ...(detail === undefined ? [] : [detail])],
    danger: "destroys",
    run: async () => {
      await stopRamServer(data, "SIGKILL");
      await clear(ram);
      await releaseRamFolder(folder, tools.environment);
      // What it shares with somebody, or was there before, stays.
      await rmdir(folder).catch(() => undefined);
    },
  };
}

async function planReset(ram: Ram, { detail }: Observation): Promise<MachineChange> {
  const { data, tools } = ram;
  const program = await demandProgram(tools);
  return {
    lines: [
      `end its server, and remove ${data}`,
      ...(detail === undefined ? [] : [detail]),
      ...(await describeSeeding(ram, program)),
      "start it on that",
    ],
    danger: "destroys",
    run: async () => {
      const made = await isCurrent(ram.template, program);
      await stopRamServer(data, "SIGKILL");
      await seedAndStart(ram, program, made);
    },
  };
}

async function demandProgram({ environment }: MachineTools): Promise<RamProgram> {
  const program = await findRamProgram(environment);
  if (program) return program;
  throw new OperatorError("missing", "MariaDB's server is not installed", {
    next: "install mariadb-server",
  });
}

/** Nothing of it is left where one step fails. */
async function seedAndStart(ram: Ram, program: RamProgram, isMade: boolean): Promise<void> {
  const { folder, data, template, config, tools } = ram;
  await prepareRamFolder({ folder, sizeMb: config.sizeMb }, tools.environment);
  const part = join(folder, "data.part");
  try {
    await clear(ram);
    await checkRoom(folder, await estimate(template, isMade), SERVER_BYTES);
    if (isMade) {
      tools.update("copying its template");
      await copyData(join(template.folder, "data"), part, tools);
    } else await makeTemplate(template, program, part, tools);
    await rename(part, data);
    await start(ram, program);
  } catch (error) {
    await stopRamServer(part, "SIGKILL");
    await stopRamServer(data, "SIGKILL");
    await clear(ram);
    await releaseRamFolder(folder, tools.environment).catch(() => undefined);
    await rmdir(folder).catch(() => undefined);
    throw explainFull(error, folder);
  }
}

async function start({ data, config, tools }: Ram, program: RamProgram): Promise<void> {
  tools.update("starting its server");
  const { environment, signal } = tools;
  await startRamServer(program, data, { environment, signal, port: config.port });
}

async function estimate({ folder, seed }: Template, isMade: boolean): Promise<number> {
  if (isMade) return measureFolder(join(folder, "data"));
  if (seed === undefined) return EMPTY_BYTES;
  const { sizeBytes } = await statSeed(seed);
  return EMPTY_BYTES + OF_SEED * sizeBytes * (seed.endsWith(".gz") ? 10 : 1);
}

/** What may be half removed is no data any more: it loses its name first. */
async function clear({ folder, data }: Ram): Promise<void> {
  await stopRamServer(join(folder, "data.part"), "SIGKILL");
  await rename(data, join(folder, `gone-${Date.now()}`)).catch((error: unknown) => {
    if (errorCode(error) !== "ENOENT") throw error;
  });
  const entries = await readdir(folder).catch(() => []);
  const ours = entries.filter((entry) => entry.startsWith("gone-") || entry === "data.part");
  await Promise.all(ours.map((entry) => rm(join(folder, entry), { recursive: true, force: true })));
}

/** Returns an error that says that the RAM disk is full where that is why, and the error itself elsewhere. Pure. */
export function explainFull(error: unknown, folder: string): unknown {
  const said = [describeError(error), ...(error instanceof OperatorError ? error.details : [])];
  if (
    !said.some((line) =>
      /No space left|is full|ENOSPC|Disk full|Temp file write failure/i.test(line),
    )
  )
    return error;
  return new OperatorError("failed", `the RAM disk of ${folder} is full; nothing is left there`, {
    details: said.slice(0, 3),
    next: "give it more, or begin with less data",
    cause: error,
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
