import * as z from "zod/mini";
import { count, matching, name, orAbsent, secret, storagePlaces, text } from "./schema-fields.ts";

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
const destination = z.union(storagePlaces, 'a destination is {"folder": …} or {"bucket": …}');
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

const jobFields = {
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
};

/** The settings of a kind of service are in its jobs under the name of the kind. */
type JobSettings = Readonly<{ kind: string; jobSettings?: z.ZodMiniType }>;

/** Returns the schema of the backups: what is backed up, where to, and for how long it is kept. */
export function makeBackupsSchema(kinds: readonly JobSettings[]) {
  const ofKinds: object = Object.fromEntries(
    kinds.flatMap(({ kind, jobSettings }) => (jobSettings ? [[kind, jobSettings]] : [])),
  );
  const backupJob = z.strictObject({ ...jobFields, ...ofKinds });
  return z.strictObject({
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
}

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

export type BackupsConfig = z.output<ReturnType<typeof makeBackupsSchema>>;
export type BackupJobConfig = BackupsConfig["jobs"][string];
export type DestinationConfig = z.output<typeof destination>;
export type DestinationName = (typeof DESTINATIONS)[number];
export type KeepConfig = z.output<typeof keep>;
