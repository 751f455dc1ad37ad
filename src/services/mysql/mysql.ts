import { askSocket } from "../ask-socket.ts";
import { serviceType } from "../service.ts";
import { jobSettings, type MysqlConfig, settings } from "./settings.ts";

/** MySQL and MariaDB, by the greeting that the server sends first (protocol version 10). */
export const mysql = serviceType<MysqlConfig>({
  kind: "mysql",
  settings,
  jobSettings,
  checkService: ({ replica }, { hosts = {} }) =>
    replica?.host === undefined || Object.hasOwn(hosts, replica.host)
      ? []
      : [{ path: ["replica", "host"], message: `there is no host ${replica.host}` }],
  scheme: "tcp",
  // A greeting without a login counts towards max_connect_errors, which then locks the host of the tunnel out.
  isAskedWhileIdle: false,
  backup: async () => (await import("./backup.ts")).mysqlBackup,
  health: () => import("./read-health.ts"),
  probe: (endpoint, _service, limits) =>
    askSocket(endpoint, undefined, limits, (answer) => {
      // A packet is a length of three bytes, a sequence number, and the payload.
      if (answer.length < 5) return undefined;
      const end = 4 + answer.readUIntLE(0, 3);
      // Text read as a length; no greeting is longer than this.
      if (end > 16 * 1024) return { answers: false, detail: "something other than MySQL answers" };
      if (answer.length < end) return undefined;
      const payload = answer.subarray(4, end);
      if (payload[0] === 0xff && payload.length >= 3) {
        // 1040 too many connections, 1129 host is blocked, 1130 host is not allowed.
        const message = payload.toString("utf8", 3).replace(/^#.{5}/, "");
        return { answers: false, detail: `error ${payload.readUInt16LE(1)}: ${message}` };
      }
      if (payload[0] !== 10)
        return { answers: false, detail: "something other than MySQL answers" };
      return {
        answers: true,
        detail: `version ${payload.toString("latin1", 1, payload.indexOf(0, 1))}`,
      };
    }),
});
