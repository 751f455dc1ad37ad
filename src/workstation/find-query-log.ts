import { join } from "node:path";
import { OperatorError } from "../system/errors.ts";
import { askMysql, type MysqlQuery } from "./ask-mysql.ts";

/** Given where the MySQL of this machine is asked, return the files of the query logs that are on. Throws `refused` where none is, or where it goes elsewhere. */
export async function findQueryLogs(query: MysqlQuery): Promise<string[]> {
  const { lines } = await askMysql(
    [
      "SELECT @@GLOBAL.datadir",
      "SELECT @@GLOBAL.log_output",
      "SELECT @@GLOBAL.general_log",
      "SELECT @@GLOBAL.general_log_file",
      "SELECT @@GLOBAL.slow_query_log",
      "SELECT @@GLOBAL.slow_query_log_file",
    ].join(";"),
    query,
  );
  const [folder = "", output = "", general, generalFile = "", slow, slowFile = ""] = lines;
  const files = [
    ...(general === "1" ? [generalFile] : []),
    ...(slow === "1" ? [slowFile] : []),
  ].map((file) => (file.startsWith("/") ? file : join(folder, file)));
  if (files.length === 0) {
    throw new OperatorError("refused", "no query log is on", {
      next: "lcops machine on log turns it on",
    });
  }
  if (!/\bFILE\b/.test(output)) {
    throw new OperatorError("refused", `the query log goes to ${output}, and into no file`, {
      next: "turn it off and on again with lcops machine, which has it written to its file",
    });
  }
  return files;
}
