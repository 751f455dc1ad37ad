import type { RedisClient } from "./connect-redis.ts";
import { readText } from "./reply-reader.ts";

/** Given a connection to a node of a cluster, return the addresses of its masters, in order: `10.0.0.1:6379` (redis.io, "CLUSTER NODES"). */
export async function listMasters(client: RedisClient): Promise<string[]> {
  return parseMasters(readText(await client.send("CLUSTER", "NODES")));
}

/** Given the answer of CLUSTER NODES, return the addresses of the masters. Pure. */
function parseMasters(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , flags = ""]) => flags.split(",").includes("master"))
    .map(([, address = ""]) => address.replace(/[@,].*$/, ""))
    .toSorted();
}
