import { OperatorError } from "../../system/errors.ts";
import { findProgram, runProgram } from "../../system/program.ts";
import { streamThrough } from "../../system/stream-through.ts";
import type { Server } from "./open-server.ts";

export interface Client {
  program: string;
  flavour: "mysql" | "mariadb";
}

/** Given a server, return its client program; MariaDB's serves MySQL and the other way round where there is no other. Throws `missing`. */
export async function findClient(server: Server, environment: NodeJS.ProcessEnv): Promise<Client> {
  const names = ["mariadb", "mysql"];
  const program = await findProgram(
    server.flavour === "mariadb" ? names : names.toReversed(),
    environment["PATH"] ?? "",
  );
  if (program === undefined) {
    throw new OperatorError("missing", "there is neither mariadb nor mysql on the PATH", {
      next: "install mariadb-client or mysql-client",
    });
  }
  const { stdout } = await runProgram(program, ["--version"], { environment });
  return { program, flavour: /mariadb/i.test(stdout) ? "mariadb" : "mysql" };
}

/**
 * Given a server, its client, the descriptor of an option file with the login, and a database, have the client carry out SQL.
 * Throws what `streamThrough` throws: the client's own words where it fails.
 */
export async function feedClient(
  { server, client, optionFile }: { server: Server; client: Client; optionFile: number },
  database: string,
  sql: AsyncIterable<Buffer>,
  { environment, signal }: { environment: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<void> {
  const output = streamThrough(
    client.program,
    [
      // First, and instead of all others; descriptor 3 of the child.
      "--defaults-file=/dev/fd/3",
      "--protocol=TCP",
      `--host=${server.login.host}`,
      `--port=${server.login.port}`,
      // No command of the client's own can stand in it, such as one that starts a shell.
      "--binary-mode",
      "--default-character-set=utf8mb4",
      "--max-allowed-packet=1G",
      `--database=${database}`,
    ],
    sql,
    { environment, signal, files: [optionFile] },
  );
  for await (const _ of output) continue;
}
