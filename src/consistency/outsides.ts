import type { ItemsConfig, ObjectsConfig, SearchConfig } from "../config/consistency-schema.ts";
import type { KeyReader } from "../services/dynamodb/read-keys.ts";
import type { DocumentReader } from "../services/elasticsearch/read-ids.ts";
import type { ObjectReader } from "../services/s3/read-objects.ts";
import type { Outside, Rows } from "./check-outside.ts";
import type { Entry } from "./reconcile.ts";

const MINUTE_MS = 60_000;
const GRACE_MINUTES = 60;
const common = ({
  table,
  changedColumn,
  graceMinutes,
}: ObjectsConfig | SearchConfig | ItemsConfig) => ({
  table,
  changedColumn,
  graceMinutes,
});
const asIs = (text: string): string => text;

/**
 * Given rows that name objects, all that is configured of objects, and the bucket, return both for comparing; the size is what is compared of them. A key
 * outside the prefix is somebody else's only where another entry of the same column has it.
 */
export function pairObjects(
  config: ObjectsConfig,
  all: readonly ObjectsConfig[],
  reader: ObjectReader,
): { rows: Rows; outside: Outside } {
  const prefix = config.prefix ?? "";
  const prefixes = all
    .filter(({ table, column }) => table === config.table && column === config.column)
    .map((one) => one.prefix ?? "");
  const graceMs = (config.graceMinutes ?? GRACE_MINUTES) * MINUTE_MS;
  const toEntry = (object: { key: string; size: number; modified: string }): Entry => ({
    id: object.key,
    version: config.sizeColumn === undefined ? undefined : String(object.size),
    // What is being uploaded has its row written behind it.
    isYoung: Date.now() - Date.parse(object.modified) < graceMs,
  });
  return {
    rows: {
      ...common(config),
      columns: [config.column],
      versionColumn: config.sizeColumn,
      // Keys elsewhere are not listed.
      idOf: ([key = ""]) => (key.startsWith(prefix) ? key : undefined),
      whyNot: ([key = ""]) =>
        prefixes.some((one) => key.startsWith(one))
          ? undefined
          : `the object is not below ${prefixes.join(", nor ")}`,
      valuesOf: (id) => [id],
      versionOf: asIs,
    },
    outside: {
      name: `s3://${config.bucket}/${prefix}`,
      noun: "object",
      read: (take) => reader.list((object) => take(toEntry(object))),
      look: async (ids) => {
        // There is no object of no name, and none can be asked for.
        const found = await Promise.all(ids.filter(Boolean).map((id) => reader.look(id)));
        return new Map(found.flatMap((object) => (object ? [[object.key, toEntry(object)]] : [])));
      },
    },
  };
}

/** Given rows and the index of their documents, return both for comparing. */
export function pairDocuments(
  config: SearchConfig,
  reader: DocumentReader,
): { rows: Rows; outside: Outside } {
  const toEntry = ({ id, version }: { id: string; version: string | undefined }): Entry => ({
    id,
    version: version === undefined ? undefined : readMoment(version),
    isYoung: false,
  });
  return {
    rows: {
      ...common(config),
      columns: [config.column],
      versionColumn: config.versionField === undefined ? undefined : config.versionColumn,
      idOf: ([id]) => id,
      valuesOf: (id) => [id],
      versionOf: readMoment,
    },
    outside: {
      name: config.index,
      noun: "document",
      read: (take) => reader.list((document) => take(toEntry(document))),
      look: async (ids) =>
        new Map(
          // No document has an empty id, and none can be asked for.
          (await reader.look(ids.filter(Boolean))).map((document) => [
            document.id,
            toEntry(document),
          ]),
        ),
    },
  };
}

/** A database writes a time as 2014-03-10 12:00:00, an index as 2014-03-10T12:00:00Z: both in UTC. Anything else is its text. Pure. */
function readMoment(text: string): string {
  const [, day, time] =
    /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?)(?:Z|\+00:00)?$/.exec(text) ?? [];
  return day === undefined ? text : new Date(`${day}T${time}Z`).toISOString();
}

/** Given rows and the DynamoDB table of their items, return both for comparing. */
export function pairItems(
  config: ItemsConfig,
  reader: KeyReader,
): { rows: Rows; outside: Outside } {
  const toEntry = (key: readonly string[]): Entry => ({
    id: JSON.stringify(key),
    version: undefined,
    isYoung: false,
  });
  return {
    rows: {
      ...common(config),
      columns: config.columns,
      versionColumn: undefined,
      idOf: (values) => JSON.stringify(reader.textsOf(values)),
      valuesOf: (id) => JSON.parse(id) as string[],
      versionOf: asIs,
    },
    outside: {
      name: config.dynamoTable,
      noun: "item",
      read: (take) => reader.list((key) => take(toEntry(key))),
      look: async (ids) => {
        const there = new Map<string, Entry>();
        for (const id of ids) {
          const key = JSON.parse(id) as string[];
          // No part of a key is empty, and none can be asked for.
          if (key.every(Boolean) && (await reader.has(key))) there.set(id, toEntry(key));
        }
        return there;
      },
    },
  };
}
