import type { SchemaSource } from "../../consistency/check-schema.ts";
import type { ConsistencyConfig } from "../../config/consistency-schema.ts";
import { expandHome } from "../../config/folders.ts";
import type { Config } from "../../config/schema.ts";
import type { OpenServices } from "../../reach/open-service.ts";
import { OperatorError } from "../../system/errors.ts";
import type { Context } from "../command.ts";
import { placeOf } from "./open-places.ts";

/** Given a check, return what its schema must be like, besides the replica's: that of other services, and a folder of SQL files. */
export function openSchemas(
  entry: ConsistencyConfig,
  config: Config,
  context: Context,
  open: OpenServices,
): SchemaSource[] {
  const services = (entry.schema?.services ?? []).map((name) =>
    openDatabase(name, entry, config, context, open),
  );
  const { folder } = entry.schema ?? {};
  return folder === undefined
    ? services
    : [...services, openFolder(expandHome(folder), entry, config, context, open)];
}

/** The database that each service opens goes with the other's, whatever the two are called. */
function openDatabase(
  name: string,
  entry: ConsistencyConfig,
  config: Config,
  context: Context,
  open: OpenServices,
): SchemaSource {
  return {
    name,
    with: async (databases, use) => {
      const { openServer } = await import("../../services/mysql/open-server.ts");
      const { ANSWER_MS, openReader } = await import("../../services/mysql/open-reader.ts");
      const place = placeOf(name, config, open);
      const own = placeOf(entry.service, config, open).config.database;
      const server = await openServer(place, { signal: context.signal, answerMs: ANSWER_MS });
      try {
        const reader = await openReader(server);
        try {
          const other = place.config.database;
          await use(
            reader,
            databases.map((one) => [one, one === own && other !== undefined ? other : one]),
          );
        } finally {
          await reader.close();
        }
      } finally {
        await server.close();
      }
    },
  };
}

/** The files are done on a server of its own: only a server knows what its declarations mean. */
function openFolder(
  folder: string,
  entry: ConsistencyConfig,
  config: Config,
  context: Context,
  open: OpenServices,
): SchemaSource {
  return {
    name: folder,
    with: async (databases, use) => {
      const [database, ...more] = databases;
      if (database === undefined || more.length > 0)
        throw new OperatorError("configuration", `${folder} declares one database`, {
          next: "say in databases which it is",
        });
      const { withDeclared } = await import("../../services/mysql/with-declared.ts");
      const { programEnvironment } = await import("../backup/program-environment.ts");
      const { makeRunFolder } = await import("../../backup/run-folder.ts");
      const scratch = await makeRunFolder(context.folders.state);
      try {
        await withDeclared(
          placeOf(entry.service, config, open),
          { folder, database },
          {
            job: { service: entry.service },
            environment: await programEnvironment(context),
            signal: context.signal,
            update: () => undefined,
            trace: context.terminal.trace,
            parallel: 1,
            folder: scratch.path,
            jobFolder: scratch.path,
          },
          (session) => use(session, [[database, database]]),
        );
      } finally {
        await scratch.remove();
      }
    },
  };
}
