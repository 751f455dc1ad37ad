import * as z from "zod/mini";
import type { BackupJobConfig } from "../../config/backup-schema.ts";
import { matching, orAbsent, path, reachable } from "../../config/schema-fields.ts";

const target = matching(
  /^[!-~][ -~]{0,499}$/,
  "a target of Graphite is expected, e.g. servers.{host}.load.1min",
);
const diskTarget = matching(
  /^(?=.*\{host\})[!-~][ -~]{0,499}$/,
  "a target of Graphite with {host} in it is expected, e.g. servers.{host}.disk.{mount}.used",
);
const label = matching(/^[^\p{Cc}]{1,20}$/u, "a label of 1 to 20 characters is expected");

/** What health asks of a Graphite's metrics. */
const metrics = z.strictObject({
  diskUsed: orAbsent(
    diskTarget,
    "Bytes in use of each disk, {host} and {mount} for its names, without {mount} those of /: collectd.{host}.df-{mount}.df_complex-used",
  ),
  diskFree: orAbsent(
    diskTarget,
    "The same of what is free, where there is nothing about what is used",
  ),
  lines: orAbsent(
    z.record(label, target),
    "What health --watch draws of the last hour, by label; with {host} beside each host, else beside this service",
  ),
});

export const settings = z.strictObject({
  kind: z.literal("graphite"),
  ...reachable,
  metrics: orAbsent(metrics, "What health asks of its metrics"),
});
export type MetricsConfig = z.output<typeof metrics>;
export type GraphiteConfig = z.output<typeof settings>;

export const jobSettings = orAbsent(
  z.strictObject({
    folder: orAbsent(path, "Where its whisper files are; /var/lib/graphite/whisper when absent"),
  }),
  "How a Graphite service is backed up",
);
export type GraphiteJob = BackupJobConfig & { graphite?: z.output<typeof jobSettings> };
