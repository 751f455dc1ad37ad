import { countOf } from "../../system/quantities.ts";
import { askHttp } from "../ask-http.ts";
import { serviceType } from "../service.ts";
import { type GraphiteConfig, jobSettings, settings } from "./settings.ts";

/** Graphite's web application; `/metrics/find` reads the metrics' folder, so an answer proves more than a page would. */
export const graphite = serviceType<GraphiteConfig>({
  kind: "graphite",
  settings,
  jobSettings,
  scheme: "http",
  isAskedWhileIdle: true,
  counts: "point",
  fitsFolder: true,
  backup: async () => (await import("./backup.ts")).graphiteBackup,
  probe: (endpoint, _service, limits) =>
    askHttp(endpoint, "/metrics/find?query=*", limits, ({ status, body }) => {
      if (status !== 200) return { answers: false, detail: `HTTP ${status} from /metrics/find` };
      const roots = parseList(body);
      return roots
        ? { answers: true, detail: countOf(roots.length, "metric root") }
        : { answers: false, detail: "something other than Graphite answers" };
    }),
});

function parseList(body: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
