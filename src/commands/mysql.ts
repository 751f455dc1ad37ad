import type { Command } from "./command.ts";

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
    const { findMysql, findReplica } = await import("./find-mysql.ts");
    const config = await context.config();
    const { name, service } = findMysql(config, context);
    const [label, server] =
      input.options["replica"] === true
        ? [`${name}-replica`, findReplica(name, service)]
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
