import * as z from "zod/mini";
import type { BackupJobConfig } from "../../config/backup-schema.ts";
import { login, matching, orAbsent, reachable, text } from "../../config/schema-fields.ts";

export const settings = z.strictObject({
  kind: z.literal("elasticsearch"),
  ...reachable,
  ...login,
});
export type ElasticsearchConfig = z.output<typeof settings>;

export const jobSettings = orAbsent(
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
);
export type ElasticsearchJob = BackupJobConfig & { elasticsearch?: z.output<typeof jobSettings> };
