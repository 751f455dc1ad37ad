import { askHttp } from "../ask-http.ts";
import type { ServiceType } from "../service.ts";

/** Elasticsearch and OpenSearch: both name themselves at `/`. */
export const elasticsearch: ServiceType = {
  scheme: "http",
  isAskedWhileIdle: true,
  backup: async () => (await import("./backup.ts")).elasticsearchBackup,
  probe: (endpoint, options) =>
    askHttp(endpoint, "/", options, ({ status, body }) => {
      if (status === 401 || status === 403)
        return { answers: true, detail: `HTTP ${status}, it wants credentials` };
      const found = /"cluster_name"\s*:\s*"([^"]*)"[^]*?"number"\s*:\s*"([^"]*)"/.exec(body);
      return status === 200 && found
        ? { answers: true, detail: `cluster ${found[1]}, version ${found[2]}` }
        : { answers: false, detail: `HTTP ${status}, not from Elasticsearch` };
    }),
};
