import { askHttp, isAliveStatus } from "../ask-http.ts";
import type { ServiceType } from "../service.ts";

/** Any web page: Kibana, Jenkins, the team's own. */
export const http: ServiceType = {
  scheme: "http",
  isAskedWhileIdle: true,
  probe: (endpoint, options) =>
    askHttp(endpoint, options.path ?? "/", options, ({ status, headers }) => {
      const jenkins = headers["x-jenkins"];
      const server = typeof jenkins === "string" ? `Jenkins ${jenkins}` : headers.server;
      return {
        answers: isAliveStatus(status),
        detail: `HTTP ${status}${typeof server === "string" ? `, ${server}` : ""}`,
      };
    }),
};
