import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { askMysql, MysqlNotRunning, mysqlWords } from "../../src/workstation/ask-mysql.ts";
import { makePrograms, type ScriptedPrograms } from "../support/scripted-programs.ts";

let programs: ScriptedPrograms;
beforeEach(() => {
  programs = makePrograms();
});
afterEach(() => programs.remove());

const ask = (sql = "SELECT 1") => askMysql(sql, { environment: programs.environment });

describe("the client of MySQL", () => {
  test("is run with the statements, on the socket that is given", async () => {
    const client = programs.write("mariadb", "");
    const words = await mysqlWords(
      "SELECT 1",
      { environment: programs.environment, socket: "/a/b" },
      "user",
    );
    expect(words).toEqual([
      client,
      "--batch",
      "--skip-column-names",
      "--unbuffered",
      "--socket=/a/b",
      "--execute=SELECT 1",
    ]);
  });

  test("answers line by line, cells apart by a tab", async () => {
    programs.write("mariadb", "printf '1\\tON\\n\\n'");
    expect(await ask()).toEqual({ lines: ["1\tON", ""], as: "user" });
  });

  test("is asked as root where this user is not let in", async () => {
    programs.write(
      "mariadb",
      `[ -e ${programs.folder}/asked ] && { echo root; exit 0; }
touch ${programs.folder}/asked; echo "ERROR 1045 (28000): Access denied" >&2; exit 1`,
    );
    expect(await ask()).toEqual({ lines: ["root"], as: "root" });
  });

  test("tells a server that does not run from one that refuses", async () => {
    programs.write("mariadb", 'echo "ERROR 2002 (HY000): Can\'t connect" >&2; exit 1');
    await expect(ask()).rejects.toBeInstanceOf(MysqlNotRunning);
    programs.write("mariadb", 'echo "ERROR 1064 (42000): You have an error" >&2; exit 1');
    await expect(ask()).rejects.toMatchObject({
      kind: "failed",
      message: "MySQL: ERROR 1064 (42000): You have an error",
    });
    programs.write("mariadb", 'echo "ERROR 1227 (42000): Access denied" >&2; exit 1');
    await expect(ask()).rejects.toThrow("MySQL: ERROR 1227 (42000): Access denied");
  });
});
