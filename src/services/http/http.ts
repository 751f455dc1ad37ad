import { askHttp, isAliveStatus } from "../ask-http.ts";
import type { ServiceType } from "../service.ts";

/** Any web page: Kibana, Jenkins, the team's own. */
export const http: ServiceType = {
  scheme: "http",
  probe: (endpoint, options) =>
    askHttp(endpoint, options.path ?? "/", options, ({ status, headers }) => {
      const server =
        headers["x-jenkins"] === undefined
          ? headers.server
          : `Jenkins ${String(headers["x-jenkins"])}`;
      return {
        answers: isAliveStatus(status),
        detail: `HTTP ${status}${server ? `, ${server}` : ""}`,
      };
    }),
};
