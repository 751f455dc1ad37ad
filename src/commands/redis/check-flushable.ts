import type { RedisClient } from "../../services/redis/connect-redis.ts";
import { listMasters } from "../../services/redis/list-masters.ts";
import { type RedisInfo, removesInBackground } from "../../services/redis/read-info.ts";
import { OperatorError } from "../../system/errors.ts";
import { countOf } from "../../system/quantities.ts";
import type { FlushWish } from "./flush-wish.ts";

/** Given a connection, what the server says of itself and what is wished, return if it may be done there. Throws `refused` and `access`, with where to go instead. */
export async function checkFlushable(
  client: RedisClient,
  info: RedisInfo,
  wish: FlushWish,
): Promise<void> {
  const { name } = client;
  const refuse = (what: string, next: string): never => {
    throw new OperatorError("refused", `${name} ${what}; nothing was done`, { next });
  };
  if (info.mode === "sentinel")
    refuse("is a sentinel, which keeps no keys", "name the Redis that it watches");
  if (info.role === "replica") {
    const { host, port } = info.master ?? {};
    refuse(`is a replica of ${host}:${port}`, `flush the master, ${host}:${port}`);
  }
  if (info.mode === "cluster") {
    // Who may not ask for them is told that it is one all the same.
    const masters = await listMasters(client).catch(() => []);
    const named =
      masters.length > 0 ? ` of ${countOf(masters.length, "master")} (${masters.join(", ")})` : "";
    refuse(
      `is one node of a cluster${named}: the others would keep their keys`,
      `redis-cli --cluster call ${masters[0] ?? "HOST:PORT"} --cluster-only-masters FLUSHALL ASYNC flushes all of it`,
    );
  }
  if (wish.kind !== "pattern" && !removesInBackground(info)) {
    refuse(
      `is a Redis ${info.version}, which answers nobody while it is flushed`,
      "remove by --pattern, one prefix after the other",
    );
  }
  const needed = {
    pattern: ["scan", removeCommand(info).toLowerCase()],
    database: ["flushdb"],
    all: ["flushall"],
  }[wish.kind];
  const missing = await findMissing(client, needed);
  if (missing === undefined) return;
  throw new OperatorError(
    "access",
    `${name} has no ${missing.toUpperCase()}: it is renamed or disabled there; nothing was done`,
    {
      next:
        wish.kind === "pattern"
          ? "ask whoever runs it"
          : "remove by --pattern, or ask whoever runs it",
    },
  );
}

/** Which command removes keys: before Redis 4.0 there is no other than DEL. Pure. */
export function removeCommand(info: Pick<RedisInfo, "version">): "UNLINK" | "DEL" {
  return removesInBackground(info) ? "UNLINK" : "DEL";
}

/** A command that is renamed is not known by its name (redis.io, "COMMAND INFO"); where that may not be asked, the command itself will tell. */
async function findMissing(
  client: RedisClient,
  commands: readonly string[],
): Promise<string | undefined> {
  const [reply] = await client.sendAll([["COMMAND", "INFO", ...commands]]);
  if (!Array.isArray(reply)) return undefined;
  return commands.find((_command, index) => reply[index] === null);
}
