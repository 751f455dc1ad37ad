import pLimit from "p-limit";
import { OperatorError } from "../../system/errors.ts";
import type { RestoreOptions, RestorePlan, SelectOptions } from "../backup-driver.ts";
import type { SetContent, SetReader } from "../set-content.ts";
import { addMissingKeys, type Loader, loadPart, type Picked, rowsOf } from "./load-part.ts";
import { findClient } from "./feed-client.ts";
import { openServer, quoteName, type Server } from "./open-server.ts";
import { withOptionFile } from "./option-file.ts";
import { readInventory } from "./read-inventory.ts";
import type { ServicePlace } from "../../reach/service-place.ts";

/** Views come last: they may call functions, and read every table. */
const ORDER = ["database", "sequences", "table", "triggers", "programs", "views"] as const;

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
        .filter(({ part }) => !["database", "rows", "triggers"].includes(part.role))
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

/**
 * Given a set and a server, read the parts back: tables side by side, each in one transaction, the ranges of a large one too, and the secondary keys of what
 * is large behind its rows. A part that stands already is passed over.
 */
export async function restoreMysql(
  set: SetReader,
  place: ServicePlace,
  options: RestoreOptions & { deferBytes?: number },
): Promise<void> {
  const picked = pickParts(set, options.only, place.within);
  const server = await openServer(place);
  try {
    const client = await findClient(server, options.environment);
    const stands = await findStanding(server, options);
    for (const target of new Set(picked.map((one) => one.target)))
      await server.query(`CREATE DATABASE IF NOT EXISTS ${quoteName(target)}`);
    await withOptionFile(server.login, async (optionFile) => {
      const stop = new AbortController();
      const signal = AbortSignal.any([options.signal, stop.signal]);
      const loader: Loader = { ...options, server, client, optionFile, signal, set };
      const limit = pLimit(options.parallel);
      let done = 0;
      /** Whatever waits for room; one that fails ends all. */
      const queue = (work: () => Promise<void>): Promise<void> =>
        limit(() => {
          signal.throwIfAborted();
          return work();
        }).catch((error: unknown) => {
          // The others would only be begun in vain.
          stop.abort(error);
          throw error;
        });
      const pass = (one: Picked, postponed?: Set<Picked>): Promise<void> =>
        queue(async () => {
          if (!stands(one)) {
            try {
              await loadPart(one, picked, loader);
            } catch (error) {
              if (!postponed || !needsKey(error)) throw error;
              postponed.add(one);
              return;
            }
            await options.markDone(one.part);
          }
          options.update(`${++done} of ${picked.length} parts`);
        });
      /** `postponed` takes those that refer to a key which is not built yet; without it they fail. */
      const passTables = async (tables: readonly Picked[], postponed?: Set<Picked>) => {
        const isSplit = (one: Picked): boolean => rowsOf(one, picked).length > 0;
        const split = tables.filter(isSplit);
        await settleAll(split.map((one) => pass(one, postponed)));
        await settleAll([
          ...split
            .filter((one) => !postponed?.has(one))
            .map(async (one) => {
              await settleAll(bySize(rowsOf(one, picked)).map((rows) => pass(rows)));
              await queue(() => addMissingKeys(one, loader));
            }),
          ...bySize(tables.filter((one) => !isSplit(one))).map((one) => pass(one, postponed)),
        ]);
      };
      for (const role of ORDER) {
        const parts = picked.filter(({ part }) => part.role === role);
        if (role !== "table") {
          await settleAll(bySize(parts).map((one) => pass(one)));
          continue;
        }
        const postponed = new Set<Picked>();
        await passTables(parts, postponed);
        await passTables([...postponed]);
      }
    });
  } finally {
    await server.close();
  }
}

/** What was restored before a restore was cut off may have been dropped since: then it does not stand any more, whatever is noted of it. */
async function findStanding(
  server: Server,
  { isDone }: RestoreOptions,
): Promise<(one: Picked) => boolean> {
  const there = new Map(
    (await readInventory(server, [])).map(({ name, tables }) => [
      name,
      new Set(tables.map((table) => table.name)),
    ]),
  );
  return ({ part, database, target }) => {
    const tables = there.get(target);
    if (!tables || !isDone(part)) return false;
    const isOfTable = ["table", "rows", "triggers"].includes(part.role);
    return !isOfTable || tables.has(part.object.slice(database.length + 1));
  };
}

/** A foreign key that refers to a table whose keys are built behind its rows (MariaDB's 1005 with 150; MySQL's 1215, 1822 and 6125). */
const needsKey = (error: unknown): boolean =>
  error instanceof OperatorError &&
  /ERROR (?:1005 .*errno: 150|1215 |1822 |6125 )/s.test(error.message);

/** The largest first: it would be waited for alone at the end. */
const bySize = (parts: readonly Picked[]): Picked[] =>
  parts.toSorted((one, other) => other.part.plain.bytes - one.part.plain.bytes);

/** Waits for all, so that nothing goes on behind a failure, and throws the first one. */
async function settleAll(work: readonly Promise<void>[]): Promise<void> {
  const settled = await Promise.allSettled(work);
  const failed = settled.find((one) => one.status === "rejected");
  if (failed) throw failed.reason;
}
