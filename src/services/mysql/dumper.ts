import { OperatorError } from "../../system/errors.ts";
import { findProgram, runProgram } from "../../system/program.ts";
import { streamThrough } from "../../system/stream-through.ts";
import type { MysqlLogin } from "./option-file.ts";

/** The program that writes dumps. */
export interface Dumper {
  program: string;
  flavour: "mysql" | "mariadb";
  /** As it says itself: what is dumped by another one may look different. */
  version: string;
  /** coreutils' stdbuf, where it is: through it the program writes large pieces instead of 4 KiB at a time, which costs both sides less. */
  stdbuf: string | undefined;
}

/** Given a flavour and the environment of programs, return its dump program; MariaDB's serves MySQL and the other way round where there is no other. Throws `missing`. */
export async function findDumper(
  flavour: "mysql" | "mariadb",
  environment: NodeJS.ProcessEnv,
): Promise<Dumper> {
  const path = environment["PATH"] ?? "";
  const names = ["mariadb-dump", "mysqldump"];
  const program = await findProgram(flavour === "mariadb" ? names : names.toReversed(), path);
  if (program === undefined) {
    throw new OperatorError("missing", "there is neither mariadb-dump nor mysqldump on the PATH", {
      next: "install mariadb-client or mysql-client",
    });
  }
  const { stdout } = await runProgram(program, ["--version"], { environment });
  return {
    program,
    stdbuf: await findProgram(["stdbuf"], path),
    flavour: /mariadb/i.test(stdout) ? "mariadb" : "mysql",
    // MariaDB's says the version of the program first, and that of the distribution behind it; from 11 on the latter alone.
    version:
      /(?:Distrib| from) ([^,\s]+)/.exec(stdout)?.[1] ??
      /Ver (\S+)/.exec(stdout)?.[1] ??
      stdout.trim(),
  };
}

export interface DumpCall {
  dumper: Dumper;
  login: MysqlLogin;
  /** Descriptor of the option file. */
  optionFile: number;
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/** What makes two dumps of the same rows the same bytes, and lossless. */
const ALWAYS = [
  "--single-transaction",
  "--quick",
  "--skip-lock-tables",
  // Tables are loaded side by side: one that others refer to cannot be locked while those are being made (error 1100).
  "--skip-add-locks",
  "--hex-blob",
  "--default-character-set=utf8mb4",
  "--tz-utc",
  "--no-tablespaces",
  "--max-allowed-packet=1G",
  "--skip-dump-date",
];
/** On a server with GTIDs mysqldump would write them; from 8.0 on it asks an older server for what that does not have, and before it knows no such option. */
const OF_MYSQL = ["--set-gtid-purged=OFF", "--loose-column-statistics=0"];

/** What a pipe gives at once. */
const PIECE = "64K";

/** Given options and what to dump (`DATABASE [TABLE...]`), return the dump as it is written. Throws at its end where it is not whole. */
export function runDumper(
  call: DumpCall,
  options: readonly string[],
  what: readonly string[],
): AsyncGenerator<Buffer, void> {
  const { dumper, login, optionFile, environment, signal } = call;
  const { program, stdbuf } = dumper;
  return streamThrough(
    stdbuf ?? program,
    [
      ...(stdbuf === undefined ? [] : [`--output=${PIECE}`, program]),
      // First, and instead of all others; descriptor 3 of the child.
      "--defaults-file=/dev/fd/3",
      "--protocol=TCP",
      `--host=${login.host}`,
      `--port=${login.port}`,
      ...ALWAYS,
      ...(dumper.flavour === "mysql" ? OF_MYSQL : []),
      ...options,
      "--",
      ...what,
    ],
    undefined,
    { environment, signal, files: [optionFile] },
  );
}
