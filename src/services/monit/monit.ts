import { askHttp } from "../ask-http.ts";
import type { ServiceType } from "../service.ts";

/** Monit's web interface: its XML, or its demand for a login. */
export const monit: ServiceType = {
  scheme: "http",
  isAskedWhileIdle: true,
  health: async () => (await import("./read-health.ts")).readMonitHealth,
  probe: (endpoint, options) =>
    askHttp(endpoint, "/_status?format=xml", options, ({ status, headers, body }) => {
      const isMonit = /monit/i.test([headers.server, headers["www-authenticate"]].join(" "));
      if (status === 401) {
        return isMonit
          ? { answers: true, detail: "it wants a login" }
          : { answers: false, detail: "something other than Monit wants a login" };
      }
      return status === 200 && /<monit[\s>]/.test(body)
        ? { answers: true, detail: `version ${/<version>([^<]*)</.exec(body)?.[1] ?? "unknown"}` }
        : { answers: false, detail: `HTTP ${status}, not from Monit` };
    }),
};
