import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describeError, OperatorError } from "../../system/errors.ts";
import type { DriverOptions } from "../backup-driver.ts";
import { feedClient, findClient } from "./feed-client.ts";
import { ANSWER_MS, openReader, type Reader } from "./open-reader.ts";
import { openMysqlScratch } from "./open-scratch.ts";
import { openServer, quoteName, type Server } from "./open-server.ts";
import { withOptionFile } from "./option-file.ts";
import type { ServicePlace } from "../../reach/service-place.ts";

/**
 * Given a server, a folder of SQL files and the database that they declare, have them done, in the order of their names, on a scratch server of the same kind
 * as that one, and call `use` with a session on it. Throws `missing` where this machine has no such server, `failed` with the file that has a mistake.
 */
export async function withDeclared(
  like: ServicePlace,
  { folder, database }: { folder: string; database: string },
  options: DriverOptions,
  use: (reader: Reader) => Promise<void>,
): Promise<void> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".sql")).toSorted();
  if (files.length === 0)
    throw new OperatorError("configuration", `there are no SQL files in ${folder}`);
  const limits = { signal: options.signal, answerMs: ANSWER_MS };
  const model = await openServer(like, limits);
  const defaults = await readDefaults(model).finally(model.close);
  const scratch = await openMysqlScratch(describeModel(model), options);
  if ("needs" in scratch)
    throw new OperatorError("missing", `it needs ${scratch.needs} on this machine`);
  try {
    const server = await openServer(scratch.target.place, limits);
    try {
      const { charset, collation, mode } = defaults;
      await server.query(
        "SET GLOBAL character_set_server = ?, GLOBAL collation_server = ?, GLOBAL sql_mode = ?",
        [charset, collation, mode],
      );
      await server.query(
        `CREATE DATABASE ${quoteName(database)} CHARACTER SET ${charset} COLLATE ${collation}`,
      );
      for (const file of files) await doFile(join(folder, file), database, server, options);
      const reader = await openReader(server);
      await use(reader).finally(reader.close);
    } finally {
      await server.close();
    }
  } finally {
    await scratch.close();
  }
}

/** All that a scratch server is chosen by. */
function describeModel({ flavour, version, id }: Server) {
  return {
    setId: "",
    job: "",
    kind: "mysql",
    source: { engine: flavour, version, serverId: id },
    consistency: { level: "fuzzy" as const, at: "", proof: {} },
    objects: [],
    skipped: [],
    parts: [],
    facts: [],
  };
}

/** What the files leave to the server, they leave to the one that is checked. */
async function readDefaults(
  server: Server,
): Promise<Record<"charset" | "collation" | "mode", string>> {
  const [row] = await server.query(
    "SELECT @@GLOBAL.character_set_server AS charset, @@GLOBAL.collation_server AS collation, @@GLOBAL.sql_mode AS mode",
  );
  const read = (name: string): string => String(row?.[name]);
  return { charset: read("charset"), collation: read("collation"), mode: read("mode") };
}

async function doFile(
  path: string,
  database: string,
  server: Server,
  { environment, signal }: DriverOptions,
): Promise<void> {
  const client = await findClient(server, environment);
  await withOptionFile(server.login, async (optionFile) => {
    try {
      const sql = createReadStream(path) as AsyncIterable<Buffer>;
      await feedClient({ server, client, optionFile }, database, sql, { environment, signal });
    } catch (error) {
      signal.throwIfAborted();
      throw new OperatorError("failed", `${path}: ${describeError(error)}`, { cause: error });
    }
  });
}
