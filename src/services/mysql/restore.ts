import pLimit from "p-limit";
import { OperatorError } from "../../system/errors.ts";
import { findProgram, runProgram } from "../../system/program.ts";
import { streamThrough } from "../../system/stream-through.ts";
import type {
  PartRecord,
  RestoreOptions,
  RestorePlan,
  SelectOptions,
  ServicePlace,
  SetContent,
  SetReader,
} from "../backup-driver.ts";
import { openServer, quoteName, type Server } from "./open-server.ts";
import { withOptionFile } from "./option-file.ts";
import { readInventory } from "./read-inventory.ts";

/** Views come last: they may call functions, and read every table. */
const ORDER = ["database", "sequences", "table", "programs", "views"] as const;

interface Picked {
  part: PartRecord;
  /** As it was called at the source, and is at the target. */
  database: string;
  target: string;
}

/** Given a set and what of it is wanted (absent: all), return its parts, each with the database that it is restored into. Throws `usage`. */
function pickParts(
  set: SetContent,
  only: string | undefined,
  within: string | undefined,
): Picked[] {
  const folderOf = (path: string): string => path.split("/")[1] ?? "";
  const databases = new Map(
    set.parts
      .filter(({ role }) => role === "database")
      .map(({ path, object }) => [folderOf(path), object] as const),
  );
  const all = set.parts.map((part) => ({
    part,
    database: databases.get(folderOf(part.path)) ?? "",
  }));
  const picked =
    only === undefined
      ? all
      : all.filter(
          ({ part, database }) =>
            database === only || (part.role !== "database" && part.object === only),
        );
  const names = [...new Set(picked.map(({ database }) => database))];
  if (picked.length === 0) {
    throw new OperatorError("usage", `the set ${set.setId} has no ${only}`, {
      next: `name DATABASE or DATABASE.TABLE, e.g. ${set.objects.find((object) => object.includes(".")) ?? set.objects[0]}`,
    });
  }
  if (within !== undefined && names.length > 1) {
    throw new OperatorError("usage", `${names.join(", ")} cannot all be restored into ${within}`, {
      next: "choose one of them with --only",
    });
  }
  return picked.map(({ part, database }) => ({ part, database, target: within ?? database }));
}

/** Given a set and a server, say what a restore would do there. */
export async function planMysqlRestore(
  set: SetReader,
  place: ServicePlace,
  { only }: SelectOptions,
): Promise<RestorePlan> {
  const picked = pickParts(set, only, place.within);
  const server = await openServer(place);
  try {
    const there = new Map(
      (await readInventory(server, [])).map((database) => [
        database.name,
        new Set(database.tables.map(({ name }) => name)),
      ]),
    );
    const tables = picked.filter(({ part }) => part.role === "table");
    const nameOf = ({ part, database }: Picked): string => part.object.slice(database.length + 1);
    const [major] = set.source.version.split(".");
    const isOther = server.flavour !== set.source.engine || server.version.split(".")[0] !== major;
    return {
      objects: picked
        .filter(({ part }) => part.role !== "database")
        .map((one) =>
          one.part.role === "table" ? `${one.target}.${nameOf(one)}` : one.part.object,
        ),
      replaces: tables
        .filter((one) => there.get(one.target)?.has(nameOf(one)))
        .map((one) => `the table ${one.target}.${nameOf(one)}, which is dropped first`),
      isSource:
        server.id === set.source.serverId &&
        picked.some(({ database, target }) => database === target),
      ...(isOther && {
        warnings: [
          {
            code: "OTHER_SERVER",
            detail: `the set is of ${set.source.engine} ${set.source.version}, this is ${server.flavour} ${server.version}`,
          },
        ],
      }),
    };
  } finally {
    await server.close();
  }
}

/** Given a set and a server, read the parts back: tables side by side, each in one transaction. A part that stands already is passed over. */
export async function restoreMysql(
  set: SetReader,
  place: ServicePlace,
  options: RestoreOptions,
): Promise<void> {
  const picked = pickParts(set, options.only, place.within);
  const server = await openServer(place);
  try {
    const client = await findClient(server, options.environment);
    for (const target of new Set(picked.map((one) => one.target)))
      await server.query(`CREATE DATABASE IF NOT EXISTS ${quoteName(target)}`);
    await withOptionFile(server.login, async (optionFile) => {
      const limit = pLimit(options.parallel);
      let done = 0;
      const stop = new AbortController();
      const signal = AbortSignal.any([options.signal, stop.signal]);
      for (const role of ORDER) {
        const parts = picked
          .filter(({ part }) => part.role === role)
          // The largest first: it would be waited for alone at the end.
          .toSorted((one, other) => other.part.plain.bytes - one.part.plain.bytes);
        const loaded = await Promise.allSettled(
          parts.map((one) =>
            limit(async () => {
              signal.throwIfAborted();
              if (!options.isDone(one.part)) {
                await load(one, set, { server, client, optionFile, ...options, signal });
                await options.markDone(one.part);
              }
              options.update(`${++done} of ${picked.length} parts`);
            }).catch((error: unknown) => {
              // The others would only be begun in vain.
              stop.abort(error);
              throw error;
            }),
          ),
        );
        const failed = loaded.find((one) => one.status === "rejected");
        if (failed) throw failed.reason;
      }
    });
  } finally {
    await server.close();
  }
}

interface Client {
  program: string;
  flavour: "mysql" | "mariadb";
}

/** Given a server, return the client program for it. Throws `missing`. */
export async function findClient(server: Server, environment: NodeJS.ProcessEnv): Promise<Client> {
  const names = ["mariadb", "mysql"];
  const program = await findProgram(
    server.flavour === "mariadb" ? names : names.toReversed(),
    environment["PATH"] ?? "",
  );
  if (program === undefined) {
    throw new OperatorError("missing", "there is neither mariadb nor mysql on the PATH", {
      next: "install mariadb-client or mysql-client",
    });
  }
  const { stdout } = await runProgram(program, ["--version"], { environment });
  return { program, flavour: /mariadb/i.test(stdout) ? "mariadb" : "mysql" };
}

async function load(
  { part, target }: Picked,
  set: SetReader,
  options: RestoreOptions & { server: Server; client: Client; optionFile: number },
): Promise<void> {
  const { server, client, optionFile, environment, signal } = options;
  const output = streamThrough(
    client.program,
    [
      "--defaults-file=/dev/fd/3",
      "--protocol=TCP",
      `--host=${server.login.host}`,
      `--port=${server.login.port}`,
      "--binary-mode",
      "--default-character-set=utf8mb4",
      "--max-allowed-packet=1G",
      `--database=${target}`,
    ],
    inOneTransaction(
      client.flavour === "mysql"
        ? withoutSandbox(set.read(part))
        : (set.read(part) as AsyncIterable<Buffer>),
    ),
    { environment, signal, files: [optionFile] },
  );
  try {
    for await (const _ of output) continue;
  } catch (error) {
    if (error instanceof OperatorError && error.kind === "failed")
      throw new OperatorError("failed", `${part.object}: ${error.message}`, {
        cause: error,
        ...adviseOn(error.message),
      });
    throw error;
  }
}

/** What a user without SUPER, as any on RDS, meets with triggers, routines and views (MySQL manual, Stored Program Binary Logging and Object Access Control). */
function adviseOn(message: string): { next?: string } {
  if (message.includes("ERROR 1419"))
    return {
      next: "set log_bin_trust_function_creators=1 at the target (on RDS in its parameter group), then run it again",
    };
  if (message.includes("ERROR 1227"))
    return {
      next: "it belongs to another user: restore as one that has SET USER (MariaDB) or SET_USER_ID (MySQL), then run it again",
    };
  return {};
}

/** One that is cut off before its end is taken back as far as the server can. */
async function* inOneTransaction(content: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  yield Buffer.from("SET autocommit=0;\n");
  yield* content;
  yield Buffer.from("\nCOMMIT;\n");
}

/** MariaDB's dumps begin with a line that MySQL's client takes for a command (MDEV-33727). */
async function* withoutSandbox(content: AsyncIterable<unknown>): AsyncIterable<Buffer> {
  let isFirst = true;
  for await (const chunk of content as AsyncIterable<Buffer>) {
    const isMarked = isFirst && chunk.subarray(0, 12).toString("latin1") === "/*M!999999\\-";
    yield isMarked ? chunk.subarray(chunk.indexOf("\n") + 1) : chunk;
    isFirst = false;
  }
}
