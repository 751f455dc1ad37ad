import { OperatorError } from "../../system/errors.ts";
import { findProgram, runInForeground } from "../../system/program.ts";
import { type MysqlLogin, withOptionFile } from "./option-file.ts";

/**
 * Given a login, run the operator's own client on the terminal and return its exit code. What is secret goes through a 0600 file
 * that has no name any more when the client starts; it is neither in the arguments nor in the environment. Throws `missing`.
 */
export async function runMysqlClient(
  login: MysqlLogin,
  clientArgs: readonly string[],
  options: { environment: NodeJS.ProcessEnv; signal: AbortSignal; ownGroup?: boolean },
): Promise<number> {
  const program = await findProgram(["mariadb", "mysql"], options.environment["PATH"] ?? "");
  if (program === undefined) {
    throw new OperatorError(
      "missing",
      "there is no MySQL client: neither mariadb nor mysql is on the PATH",
      {
        next: "install mariadb-client or mysql-client",
      },
    );
  }
  return withOptionFile(login, (file) =>
    runInForeground(
      program,
      [
        // Must come first; descriptor 3 of the child is the file.
        "--defaults-extra-file=/dev/fd/3",
        "--protocol=TCP",
        `--host=${login.host}`,
        `--port=${login.port}`,
        ...clientArgs,
        ...(login.database === undefined ? [] : [login.database]),
      ],
      { ...options, files: [file] },
    ),
  );
}
