import { randomBytes } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperatorError } from "../../system/errors.ts";
import { findProgram, runInForeground } from "../../system/program.ts";

export interface MysqlLogin {
  host: string;
  port: number;
  user?: string;
  password?: string;
  database?: string;
}

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
  const path = join(tmpdir(), `lcops-${randomBytes(9).toString("hex")}`);
  const file = await open(path, "wx+", 0o600);
  try {
    await rm(path);
    await file.write(formatOptionFile(login), 0);
    return await runInForeground(
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
      { ...options, files: [file.fd] },
    );
  } finally {
    await file.close();
  }
}

/** Given a login, return an option file for the client. Within quotes, backslash and quote are escaped (MySQL manual, Using Option Files). Pure. */
function formatOptionFile(login: Pick<MysqlLogin, "user" | "password">): string {
  const quote = (value: string): string => {
    if (/[\r\n\0]/.test(value)) {
      throw new OperatorError(
        "access",
        "the password has a line break, which the client cannot be given",
        {
          next: "look at what the secret reference leads to",
        },
      );
    }
    return `"${value.replace(/[\\"]/g, "\\$&")}"`;
  };
  return [
    "[client]",
    ...(login.user === undefined ? [] : [`user=${quote(login.user)}`]),
    ...(login.password === undefined ? [] : [`password=${quote(login.password)}`]),
    "",
  ].join("\n");
}
