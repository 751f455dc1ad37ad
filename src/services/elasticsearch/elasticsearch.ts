import * as z from "zod/mini";
import type { BackupJobConfig } from "../../config/backup-schema.ts";
import { login, matching, orAbsent, reachable, text } from "../../config/schema-fields.ts";
import { askHttp } from "../ask-http.ts";
import { serviceType } from "../service.ts";

const settings = z.strictObject({ kind: z.literal("elasticsearch"), ...reachable, ...login });
export type ElasticsearchConfig = z.output<typeof settings>;

const jobSettings = orAbsent(
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

/** Elasticsearch and OpenSearch: both name themselves at `/`. */
export const elasticsearch = serviceType<ElasticsearchConfig>({
  kind: "elasticsearch",
  settings,
  jobSettings,
  scheme: "http",
  isAskedWhileIdle: true,
  area: "search",
  counts: "document",
  health: () => import("./read-health.ts"),
  backup: async () => (await import("./backup.ts")).elasticsearchBackup,
  probe: (endpoint, _service, limits) =>
    askHttp(endpoint, "/", limits, ({ status, body }) => {
      if (status === 401 || status === 403)
        return { answers: true, detail: `HTTP ${status}, it wants credentials` };
      const found = /"cluster_name"\s*:\s*"([^"]*)"[^]*?"number"\s*:\s*"([^"]*)"/.exec(body);
      return status === 200 && found
        ? { answers: true, detail: `cluster ${found[1]}, version ${found[2]}` }
        : { answers: false, detail: `HTTP ${status}, not from Elasticsearch` };
    }),
});
