import { randomBytes } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperatorError } from "../../system/errors.ts";

export interface MysqlLogin {
  host: string;
  port: number;
  user?: string;
  password?: string;
  database?: string;
}

/**
 * Given a login, call `use` with the descriptor of an option file that has its user and password. The file is 0600 and has no name any more: a
 * child that gets it as its descriptor 3 reads `/dev/fd/3`, and any number of children may.
 */
export async function withOptionFile<T>(
  login: Pick<MysqlLogin, "user" | "password">,
  use: (file: number) => Promise<T>,
): Promise<T> {
  const path = join(tmpdir(), `lcops-${randomBytes(9).toString("hex")}`);
  const file = await open(path, "wx+", 0o600);
  try {
    await rm(path);
    await file.write(formatOptionFile(login), 0);
    return await use(file.fd);
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
