import { askHttp } from "../ask-http.ts";
import { serviceType } from "../service.ts";
import { type ElasticsearchConfig, jobSettings, settings } from "./settings.ts";

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
