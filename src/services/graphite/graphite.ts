import { countOf } from "../../system/quantities.ts";
import { askHttp } from "../ask-http.ts";
import type { ServiceType } from "../service.ts";

/** Graphite's web application; `/metrics/find` reads the metrics' folder, so an answer proves more than a page would. */
export const graphite: ServiceType = {
  backup: async () => (await import("./backup.ts")).graphiteBackup,
  scheme: "http",
  isAskedWhileIdle: true,
  probe: (endpoint, options) =>
    askHttp(endpoint, "/metrics/find?query=*", options, ({ status, body }) => {
      if (status !== 200) return { answers: false, detail: `HTTP ${status} from /metrics/find` };
      const roots = parseList(body);
      return roots
        ? { answers: true, detail: countOf(roots.length, "metric root") }
        : { answers: false, detail: "something other than Graphite answers" };
    }),
};

function parseList(body: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
