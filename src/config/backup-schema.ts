import * as z from "zod/mini";
import { bucketFields, matching, name, orAbsent, path, secret, text } from "./schema-fields.ts";

const recipient = matching(
  /^age1[02-9ac-hj-np-z]{58,4000}$/,
  "the public key of an age identity is expected, age1…",
);
const recipients = z
  .array(recipient)
  .check(
    z.describe(
      "Public age keys, any of which opens the sets; two at least are wise, one kept offline. None: the sets are not encrypted",
    ),
  );
const count = (message: string) => z.int(message).check(z.gte(1, message), z.lte(100_000, message));

const folderPlace = z.strictObject({
  folder: path.check(z.describe("A folder of this machine")),
});
const bucketPlace = z.strictObject({
  ...bucketFields,
  environment: orAbsent(name, "Environment whose profile opens it"),
});
const destination = z.union(
  [folderPlace, bucketPlace],
  'a destination is {"folder": …} or {"bucket": …}',
);
const copyTo = z.union([folderPlace, bucketPlace], 'a copy goes to {"bucket": …} or {"folder": …}');
const DESTINATIONS = ["server", "operator"] as const;

const periods = count("how many periods keep a set: a whole number from 1 is expected");
const keep = z
  .strictObject({
    last: orAbsent(periods, "How many of the newest sets are kept"),
    daily: orAbsent(periods, "For how many days that have sets the newest is kept"),
    weekly: orAbsent(periods, "The same of weeks"),
    monthly: orAbsent(periods, "The same of months"),
    yearly: orAbsent(periods, "The same of years"),
  })
  .check(z.refine((given) => Object.keys(given).length > 0, "say what is kept"));

const backupJob = z.strictObject({
  service: name.check(z.describe("The service that is backed up")),
  destinations: orAbsent(
    z
      .array(z.enum(DESTINATIONS, "server or operator is expected"))
      .check(z.minLength(1, "name at least one destination")),
    "Where its sets go; absent: to all that there are",
  ),
  recipients: z.optional(recipients),
  keep: orAbsent(keep, "Which sets prune leaves; absent: all"),
  schedule: orAbsent(
    matching(/^[0-9*,/-]+( [0-9*,/-]+){4}$/, "five fields of a crontab are expected"),
    "When it runs, as a crontab says it, in UTC",
  ),
  maxAgeHours: orAbsent(
    count("a number of hours is expected"),
    "Past this age of the newest set it is overdue; 26 when absent",
  ),
  drillDays: orAbsent(
    count("a number of days is expected"),
    "Past this age of the last drill it is overdue, and nothing is pruned; 35 when absent",
  ),
  scratch: orAbsent(name, "A service that a drill may overwrite; absent: one is started for it"),
  copy: orAbsent(name, "The operator's own copy of the service, for backup status"),
  notify: orAbsent(z.array(name), "Who is told"),
  mysql: orAbsent(
    z.strictObject({
      exclude: orAbsent(z.array(text), "Databases and tables that are left out, DATABASE.TABLE"),
      rdsSnapshot: orAbsent(text, "RDS instance of which snapshots are taken instead of dumps"),
    }),
    "How a MySQL service is backed up",
  ),
  graphite: orAbsent(
    z.strictObject({
      folder: orAbsent(path, "Where its whisper files are; /var/lib/graphite/whisper when absent"),
    }),
    "How a Graphite service is backed up",
  ),
  elasticsearch: orAbsent(
    z.strictObject({
      way: orAbsent(
        z.enum(["snapshot", "export"], "snapshot or export is expected"),
        "A snapshot in a repository of the cluster's (snapshot; when absent), or its documents in parts of the set (export)",
      ),
      repository: orAbsent(
        matching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, "the name of a repository is expected"),
        "Repository of the snapshots; lcops when absent",
      ),
      register: orAbsent(
        z.strictObject({
          type: text.check(z.describe("fs, s3, …, as the cluster's plugins have them")),
          settings: z.record(text, z.union([text, z.number(), z.boolean()])),
        }),
        "How the repository is registered where there is none of its name; its secrets belong into the keystore of the cluster",
      ),
      indices: orAbsent(
        z.array(text).check(z.minLength(1, "name at least one index")),
        "Names of indices, * for any characters; absent: all whose name does not begin with a dot",
      ),
    }),
    "How an Elasticsearch or OpenSearch service is backed up",
  ),
  s3: orAbsent(
    z.strictObject({
      to: copyTo.check(z.describe("Where its objects are copied to")),
      remove: orAbsent(
        z.strictObject({
          atMost: count("a number of objects is expected").check(
            z.describe("So many objects a run; where more are gone, none is removed"),
          ),
        }),
        "Whether what two runs in a row have not found at the source is removed from the copy; absent: nothing ever is",
      ),
      shrinkPercent: orAbsent(
        z
          .int("a share in percent is expected")
          .check(
            z.gte(1, "a share in percent is expected"),
            z.lte(99, "a share in percent is expected"),
          ),
        "Past this share of the objects gone since the last run, nothing is done; 30 when absent",
      ),
      auditDays: orAbsent(
        z
          .int("a number of days is expected")
          .check(
            z.gte(0, "a number of days is expected"),
            z.lte(10_000, "a number of days is expected"),
          ),
        "After so many days a run looks through the copy itself, and not through the catalog alone; 7 when absent, 0: each time",
      ),
    }),
    "How a bucket is copied",
  ),
});

/** What is backed up, where to, and for how long it is kept. */
export const backupsSchema = z.strictObject({
  destinations: z
    .strictObject({
      server: orAbsent(destination, "The server's: away from this machine"),
      operator: orAbsent(destination, "The operator's: at hand"),
    })
    .check(z.refine((given) => Object.keys(given).length > 0, "name at least one destination")),
  recipients,
  identities: orAbsent(
    z.array(secret),
    "Private age keys, for what reads sets: verify --level decode, restore, drill",
  ),
  timeZone: orAbsent(
    text.check(z.refine(isTimeZone, "a time zone is expected, e.g. Europe/Dublin")),
    "Where days, weeks, months and years begin for prune; UTC when absent",
  ),
  jobs: z.record(name, backupJob).check(
    z.refine((given) => Object.keys(given).length > 0, "name at least one job"),
    z.describe("What is backed up, by name"),
  ),
});

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

export type BackupsConfig = z.output<typeof backupsSchema>;
export type BackupJobConfig = z.output<typeof backupJob>;
export type DestinationConfig = z.output<typeof destination>;
export type CopyConfig = z.output<typeof copyTo>;
export type DestinationName = (typeof DESTINATIONS)[number];
export type KeepConfig = z.output<typeof keep>;
