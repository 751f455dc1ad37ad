import { askSocket } from "../ask-socket.ts";
import { serviceType } from "../service.ts";
import { type RedisConfig, settings } from "./settings.ts";

/** Redis, by PING; a server that wants a password, or still loads its data, is alive. */
export const redis = serviceType<RedisConfig>({
  kind: "redis",
  settings,
  scheme: "tcp",
  isAskedWhileIdle: true,
  health: () => import("./read-health.ts"),
  probe: async (endpoint, { tls: secure }, limits) => {
    const options = { ...limits, tls: secure !== undefined };
    const result = await askSocket(endpoint, "PING\r\n", options, (answer) => {
      const end = answer.indexOf("\r\n");
      if (end < 0) return undefined;
      const line = answer.toString("latin1", 0, end);
      if (line === "+PONG") return { answers: true, detail: "PONG" };
      if (!line.startsWith("-"))
        return { answers: false, detail: `not Redis: ${line.slice(0, 80)}` };
      // Alive, and not at our service yet; other errors (too many clients, protected mode) refuse everybody.
      const isAlive = /^-(NOAUTH|LOADING|MASTERDOWN|BUSY)\b/.test(line);
      return {
        answers: isAlive,
        detail: isAlive ? line.slice(1) : `it refuses: ${line.slice(1, 120)}`,
      };
    });
    // OpenSSL's words for a server that lets in who has a certificate.
    return /alert certificate required|alert handshake failure/.test(result.detail)
      ? { answers: true, detail: "it wants a certificate" }
      : result;
  },
});
