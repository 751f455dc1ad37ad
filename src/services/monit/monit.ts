import { askHttp } from "../ask-http.ts";
import { serviceType } from "../service.ts";
import { type MonitConfig, settings } from "./settings.ts";

/** Monit's web interface: its XML, or its demand for a login. */
export const monit = serviceType<MonitConfig>({
  kind: "monit",
  settings,
  scheme: "http",
  isAskedWhileIdle: true,
  watchesHost: true,
  health: () => import("./read-health.ts"),
  probe: (endpoint, { tls: secure }, limits) => {
    const options = { ...limits, tls: secure !== undefined };
    return askHttp(endpoint, "/_status?format=xml", options, ({ status, headers, body }) => {
      const isMonit = /monit/i.test([headers.server, headers["www-authenticate"]].join(" "));
      if (status === 401) {
        return isMonit
          ? { answers: true, detail: "it wants a login" }
          : { answers: false, detail: "something other than Monit wants a login" };
      }
      return status === 200 && /<monit[\s>]/.test(body)
        ? { answers: true, detail: `version ${/<version>([^<]*)</.exec(body)?.[1] ?? "unknown"}` }
        : { answers: false, detail: `HTTP ${status}, not from Monit` };
    });
  },
});
