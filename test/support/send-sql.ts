import { execFile } from "node:child_process";
import path from "node:path";
import type { LabDescription } from "../lab/lab.ts";

/** Given SQL, have the lab's primary, or its replica, do it as root, through its socket, and return what it answered. */
export function sendSql(
  lab: Pick<LabDescription, "folder">,
  sql: string,
  server: "primary" | "replica" = "primary",
): Promise<string> {
  const defaults = `--defaults-file=${path.join(lab.folder, `secrets/${server}.cnf`)}`;
  return new Promise((resolve, reject) => {
    const child = execFile(
      "mariadb",
      [defaults, "--default-character-set=utf8mb4", "--skip-column-names", "--batch"],
      { timeout: 20_000, maxBuffer: 2 ** 26 },
      (error, stdout) => (error ? reject(error) : resolve(stdout)),
    );
    child.stdin?.end(sql);
  });
}
