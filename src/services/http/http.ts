import * as z from "zod/mini";
import { matching, orAbsent, reachable } from "../../config/schema-fields.ts";
import { askHttp, isAliveStatus } from "../ask-http.ts";
import { serviceType } from "../service.ts";

const settings = z.strictObject({
  kind: z.literal("http"),
  ...reachable,
  path: orAbsent(
    matching(/^\/[!-~]{0,2000}$/, "a path starts with / and has no spaces"),
    "Page that must answer",
  ),
});
export type HttpConfig = z.output<typeof settings>;

/** Any web page: Kibana, Jenkins, the team's own. */
export const http = serviceType<HttpConfig>({
  kind: "http",
  settings,
  scheme: "http",
  isAskedWhileIdle: true,
  probe: (endpoint, { path = "/" }, limits) =>
    askHttp(endpoint, path, limits, ({ status, headers }) => {
      const jenkins = headers["x-jenkins"];
      const server = typeof jenkins === "string" ? `Jenkins ${jenkins}` : headers.server;
      return {
        answers: isAliveStatus(status),
        detail: `HTTP ${status}${typeof server === "string" ? `, ${server}` : ""}`,
      };
    }),
});
