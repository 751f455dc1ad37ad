import { environmentOf } from "../config/environment-of.ts";
import type { Config, MysqlConfig } from "../config/schema.ts";
import { OperatorError } from "../system/errors.ts";
import type { Command, Context } from "./command.ts";

export const mysql: Command = {
  name: "mysql",
  summary: "Open the MySQL client on a server, through a tunnel where it needs one",
  operands: [{ syntax: "[database]", description: "database, the configured one when absent" }],
  options: [{ flags: "--replica", description: "the server to read from" }],
  rest: "CLIENT-ARGS for the client, e.g. -e 'SELECT 1'",
  examples: [
    "mysql",
    "mysql school --replica",
    "mysql -- --batch -e 'SELECT COUNT(*) FROM students'",
  ],
  danger: "writes",
  aws: true,
  changesEstate: false,
  returnsChildCode: () => true,
  async run(input, context) {
    const { runMysqlClient } = await import("../services/mysql/run-client.ts");
    const { openService } = await import("../reach/open-service.ts");
    const config = await context.config();
    const { name, service } = findMysql(config, context);
    const [label, server] =
      input.options["replica"] === true
        ? [`${name}-replica`, { ...service, ...replicaOf(name, service) }]
        : [name, service];
    const open = openService(label, server, config, context);
    try {
      const password = await open.password();
      const { host, port } = await open.endpoint();
      context.terminal.trace(`${name}: ${host}:${port} ${await open.way()}`);
      const environment = await context.childEnvironment();
      const database = input.operands[0] ?? service.database;
      return await context.leaveSigintTo(() =>
        runMysqlClient(
          {
            host,
            port,
            ...(service.user !== undefined && { user: service.user }),
            ...(password !== undefined && { password }),
            ...(database !== undefined && { database }),
          },
          input.rest ?? [],
          { environment, signal: context.signal, ownGroup: !context.hasTerminal },
        ),
      );
    } finally {
      await open.close();
    }
  },
};

/** Returns the one MySQL that there is, or the one of `--env`, or of the default environment. Throws `usage` where that is none, or several. Pure. */
export function findMysql(
  config: Config,
  context: Pick<Context, "environmentFlag">,
): { name: string; service: MysqlConfig } {
  const all = Object.entries(config.services ?? {}).flatMap(([name, service]) =>
    service.kind === "mysql" ? [{ name, service }] : [],
  );
  const inEnvironment = (environment: string | undefined) =>
    all.filter(({ service }) => environmentOf(service, config) === environment);
  const asked = context.environmentFlag;
  const found = asked === undefined ? all : inEnvironment(asked);
  const narrowed = found.length > 1 ? inEnvironment(asked ?? config.defaultEnvironment) : found;
  const [only] = narrowed;
  if (only && narrowed.length === 1) return only;
  if (found.length === 0) {
    const where = asked === undefined ? "" : ` in the environment ${asked}`;
    throw new OperatorError("usage", `there is no mysql service${where}`, {
      next: "add one to the services of the configuration, or choose another --env",
    });
  }
  throw new OperatorError(
    "usage",
    `there are several mysql services: ${found.map(({ name }) => name).join(", ")}`,
    {
      next: "choose with --env",
    },
  );
}

/** Returns where the replica of a MySQL is. Throws `usage` where it has none. Pure. */
export function replicaOf(
  name: string,
  service: MysqlConfig,
): Pick<MysqlConfig, "host" | "address" | "port"> {
  if (!service.replica) {
    throw new OperatorError("usage", `${name} has no replica in the configuration`, {
      next: "add one, or leave --replica away",
    });
  }
  return {
    host: service.host,
    address: service.address,
    port: service.port,
    ...service.replica,
  } as MysqlConfig;
}
