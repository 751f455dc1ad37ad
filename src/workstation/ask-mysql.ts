import { OperatorError } from "../system/errors.ts";
import { findProgram, runProgram } from "../system/program.ts";
import { explainRefusal, systemEnvironment, wordsForRoot } from "./run-as-root.ts";

const LIMIT_MS = 5_000;

/** ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR and ER_SPECIFIC_ACCESS_DENIED_ERROR. */
const DENIED = /^ERROR (1045|1698|1227)\b/m;
/** CR_CONNECTION_ERROR, CR_CONN_HOST_ERROR. */
const NOT_RUNNING = /^ERROR (2002|2003)\b/m;

export interface MysqlQuery {
  environment: NodeJS.ProcessEnv;
  /** Absent: where the client looks. */
  socket?: string | undefined;
}

/** MySQL on this machine does not run. */
export class MysqlNotRunning extends OperatorError {}

/** Given the client's options and statements, return the command line that runs them; its user is the one of ~/.my.cnf, or root through sudo. */
export async function mysqlWords(
  sql: string,
  { environment, socket }: MysqlQuery,
  as: "user" | "root",
): Promise<readonly string[]> {
  const { PATH } = systemEnvironment(environment);
  const program = await findProgram(["mariadb", "mysql"], PATH ?? "");
  if (program === undefined) {
    throw new OperatorError("missing", "the program mariadb is not installed", {
      next: "install mariadb-client",
    });
  }
  const words = [
    program,
    "--batch",
    "--skip-column-names",
    "--unbuffered",
    ...(socket === undefined ? [] : [`--socket=${socket}`]),
    `--execute=${sql}`,
  ];
  return as === "user" ? words : wordsForRoot(words);
}

/**
 * Given statements, have the MySQL of this machine do them and return the lines that it answers, cells apart by a tab; as whom the client logs this user
 * in, or as root through `sudo -n` where that is not enough. Throws `MysqlNotRunning`, `access`, `missing`.
 */
export async function askMysql(
  sql: string,
  query: MysqlQuery,
): Promise<{ lines: string[]; as: "user" | "root" }> {
  const { environment } = query;
  for (const as of ["user", "root"] as const) {
    const [program = "", ...args] = await mysqlWords(sql, query, as);
    const result = await runProgram(program, args, {
      environment: systemEnvironment(environment),
      timeoutMs: LIMIT_MS,
    });
    const { code, stdout, stderr } = result;
    if (code === 0) return { lines: stdout.split("\n").slice(0, -1), as };
    if (NOT_RUNNING.test(stderr)) throw new MysqlNotRunning("unreachable", "MySQL is not running");
    const refusal =
      as === "root" && program === "sudo" ? explainRefusal(["mariadb"], result) : undefined;
    if (refusal) {
      throw new OperatorError("access", `MySQL does not let this user in, and ${refusal.message}`, {
        next: "write a user and its password into ~/.my.cnf, or run sudo -v first",
      });
    }
    if (as === "root" || !DENIED.test(stderr)) {
      throw new OperatorError("failed", `MySQL: ${stderr.trim().split("\n").at(-1) ?? `${code}`}`);
    }
  }
  throw new Error("root was asked last");
}
