import { connectRedis } from "../../services/redis/connect-redis.ts";
import { listMasters } from "../../services/redis/list-masters.ts";
import { readInfo, type RedisInfo } from "../../services/redis/read-info.ts";
import { printTable } from "../../terminal/table.ts";
import type { Context, Input } from "../command.ts";
import {
  describeClients,
  describeDatabase,
  describeMemory,
  describeRole,
  describeServer,
  describeUse,
} from "./describe-info.ts";
import { type OpenRedis, withRedis } from "./open-redis.ts";

/** Given what was typed, do what `lcops redis info` says and return the exit code. */
export async function runInfo(input: Input, context: Context): Promise<number> {
  return withRedis(context, input.operands[0] ?? "", async (open) => {
    const client = await connectRedis(open.place, context.signal);
    try {
      const info = await readInfo(client);
      const masters = info.mode === "cluster" ? await listMasters(client) : undefined;
      renderInfo(open, info, masters, context);
      return 0;
    } finally {
      client.close();
    }
  });
}

/** Given a Redis and what it says of itself, show it as a table, or as one JSON document. */
export function renderInfo(
  { name, environment, isProduction, where }: OpenRedis,
  info: RedisInfo,
  masters: readonly string[] | undefined,
  { terminal }: Pick<Context, "terminal">,
): void {
  if (terminal.flags.json) {
    const place = { service: name, environment: environment ?? null, where };
    terminal.printJson({ ...place, ...info, ...(masters && { masters }) });
    return;
  }
  const rows: [string, string][] = [
    ["where", where],
    ["environment", `${environment ?? "none"}${isProduction ? ", guarded as production" : ""}`],
    ["server", describeServer(info)],
    ["role", describeRole(info)],
    ...(masters ? [["masters", masters.join(", ")] as [string, string]] : []),
    ["memory", describeMemory(info)],
    ["clients", describeClients(info)],
    ["commands", describeUse(info)],
    ...info.databases.map((one): [string, string] => [
      `database ${one.index}`,
      describeDatabase(one),
    ]),
    ...(info.databases.length === 0 ? [["databases", "all empty"] as [string, string]] : []),
  ];
  printTable(terminal, rows, [
    { title: "WHAT", value: ([what]) => what },
    { title: name.toUpperCase(), value: ([, value]) => value },
  ]);
}
