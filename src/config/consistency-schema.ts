import * as z from "zod/mini";
import { matching, name, orAbsent, path, region } from "./schema-fields.ts";

const table = matching(
  /^[^.\p{Cc}]{1,64}(\.[^.\p{Cc}]{1,64})?$/u,
  "a table is expected, TABLE or DATABASE.TABLE",
);
const column = matching(/^[^\p{Cc}]{1,64}$/u, "the name of a column is expected");
const whole = (message: string, most: number) =>
  z.int(message).check(z.gte(1, message), z.lte(most, message));

const reference = z.strictObject({
  table,
  column,
  toTable: table,
  toColumn: column,
  nullValues: orAbsent(z.array(z.string()), "Values that refer to nothing, besides NULL"),
});

const MINUTES = "a number of minutes is expected";
const grace = orAbsent(
  z.int(MINUTES).check(z.gte(0, MINUTES), z.lte(100_000, MINUTES)),
  "What is younger may still be on its way; 60 when absent",
);
const changed = orAbsent(column, "When a row was written, for what may still be on its way");

const objects = z.strictObject({
  table,
  column: column.check(z.describe("Holds the key of the object, or NULL")),
  bucket: matching(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "the name of a bucket is expected"),
  prefix: orAbsent(
    matching(/^[^\p{Cc}]{1,512}$/u, "the beginning of a key is expected"),
    "What the keys of these objects begin with; a row whose key no prefix of its column fits is not checked, and told",
  ),
  region: z.optional(region),
  environment: orAbsent(name, "Environment whose profile opens the bucket"),
  sizeColumn: orAbsent(column, "Holds the size of the object"),
  changedColumn: changed,
  graceMinutes: grace,
});

const search = z
  .strictObject({
    table,
    column: column.check(z.describe("Holds the id of the document")),
    service: name.check(z.describe("The Elasticsearch or OpenSearch service")),
    index: matching(
      /^[^\p{Cc}\s/?#,"\\<>|*]{1,255}$/u,
      "the name of an index or alias is expected",
    ),
    versionColumn: orAbsent(column, "Changes whenever the row does"),
    versionField: orAbsent(column, "Field of the document that holds the same"),
    changedColumn: changed,
    graceMinutes: grace,
  })
  .check(
    z.refine(
      (given) => (given.versionColumn === undefined) === (given.versionField === undefined),
      "versionColumn and versionField go together: one alone is compared with nothing",
    ),
  );

const items = z.strictObject({
  table,
  columns: z
    .array(column)
    .check(
      z.minLength(1, "the columns of the item's key are expected"),
      z.maxLength(2, "an item's key has two parts at most"),
      z.describe("Hold the item's key, hash first"),
    ),
  dynamoTable: matching(/^[A-Za-z0-9_.-]{3,255}$/, "the name of a DynamoDB table is expected"),
  region: z.optional(region),
  environment: orAbsent(name, "Environment whose profile opens the table"),
  changedColumn: changed,
  graceMinutes: grace,
});

/** What must be true of a database, and of what stands elsewhere and belongs to its rows. */
export const consistencySchema = z.strictObject({
  service: name.check(z.describe("The MySQL service that is checked")),
  databases: orAbsent(
    z.array(matching(/^[^\p{Cc}/\\.]{1,64}$/u, "the name of a database is expected")),
    "Which of its databases; absent: all that its user sees",
  ),
  exclude: orAbsent(z.array(table), "Tables whose rows are not compared, DATABASE.TABLE"),
  schema: orAbsent(
    z.strictObject({
      services: orAbsent(
        z.array(name),
        "MySQL services that must be declared alike, as that of another environment",
      ),
      folder: orAbsent(path, "SQL files, by name, that declare the database"),
    }),
    "What the schema must be like, besides the replica's",
  ),
  references: orAbsent(
    z.array(reference),
    "What refers to what without a foreign key; foreign keys are checked anyway",
  ),
  objects: orAbsent(z.array(objects), "Rows that name S3 objects"),
  search: orAbsent(z.array(search), "Rows that have a document in a search index"),
  items: orAbsent(z.array(items), "Rows that have a DynamoDB item"),
  baseline: orAbsent(path, "Findings that are known, each with owner, reason and last day"),
  maxLagSeconds: orAbsent(
    whole("a number of seconds is expected", 86_400),
    "How far the replica may be behind; 10 when absent",
  ),
  maxRunning: orAbsent(
    whole("a number of threads is expected", 10_000),
    "Past so many threads at work on a server, it is waited; 25 when absent",
  ),
});

export type ConsistencyConfig = z.output<typeof consistencySchema>;
export type ReferenceConfig = z.output<typeof reference>;
export type ObjectsConfig = z.output<typeof objects>;
export type SearchConfig = z.output<typeof search>;
export type ItemsConfig = z.output<typeof items>;
