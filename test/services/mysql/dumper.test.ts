import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findDumper, runDumper } from "../../../src/services/mysql/dumper.ts";
import { withOptionFile } from "../../../src/services/mysql/option-file.ts";

const MARIADB = "mariadb-dump from 11.4.2-MariaDB, client 10.19 for debian-linux-gnu (x86_64)";
const OLD_MARIADB = "mysqldump  Ver 10.19 Distrib 10.11.14-MariaDB, for debian-linux-gnu (x86_64)";
const MYSQL = "mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)";
const OLD_MYSQL = "mysqldump  Ver 10.13 Distrib 5.7.44, for Linux (x86_64)";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "lcops-dumper-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A folder with programs of these names, that say these versions, and write their arguments and their option file. */
function putPrograms(programs: Readonly<Record<string, string>>, more = ""): string {
  const bin = path.join(folder, "bin");
  mkdirSync(bin);
  for (const [name, version] of Object.entries(programs)) {
    const script = `#!/bin/sh\n[ "$1" = --version ] && { echo '${version}'; exit; }\n${more}\nprintf '%s\\n' "$@"\ncat /dev/fd/3\n`;
    writeFileSync(path.join(bin, name), script, { mode: 0o755 });
  }
  return bin;
}

async function dump(bin: string, flavour: "mysql" | "mariadb", password = "x"): Promise<string> {
  const dumper = await findDumper(flavour, { PATH: bin });
  const login = { host: "127.0.0.1", port: 3306, user: "app", password };
  return withOptionFile(login, async (optionFile) => {
    const { signal } = new AbortController();
    const call = { dumper, login, optionFile, environment: { PATH: process.env["PATH"] }, signal };
    let text = "";
    for await (const chunk of runDumper(call, [], ["school", "--odd"])) text += chunk.toString();
    return text;
  });
}

describe("the dump program", () => {
  test.each([
    ["mariadb", { "mariadb-dump": MARIADB, mysqldump: MYSQL }, "mariadb", "mariadb-dump"],
    ["mysql", { "mariadb-dump": MARIADB, mysqldump: MYSQL }, "mysql", "mysqldump"],
    // Debian's mysqldump is MariaDB's.
    ["mysql", { mysqldump: OLD_MARIADB }, "mariadb", "mysqldump"],
    ["mariadb", { mysqldump: MYSQL }, "mysql", "mysqldump"],
    ["mysql", { "mariadb-dump": MARIADB }, "mariadb", "mariadb-dump"],
  ] as const)("of a %s server, of %o, is %s's %s", async (flavour, programs, found, name) => {
    const bin = putPrograms(programs as Record<string, string>);
    const dumper = await findDumper(flavour, { PATH: bin });
    expect(dumper).toMatchObject({ flavour: found, program: path.join(bin, name) });
  });

  test.each([
    [MARIADB, "11.4.2-MariaDB"],
    [OLD_MARIADB, "10.11.14-MariaDB"],
    [MYSQL, "8.0.36"],
    [OLD_MYSQL, "5.7.44"],
  ])("that says %s has the version %s", async (said, version) => {
    const bin = putPrograms({ mysqldump: said });
    expect(await findDumper("mysql", { PATH: bin })).toMatchObject({ version });
  });

  test("that is not there is named, with what to install", async () => {
    await expect(findDumper("mysql", { PATH: folder })).rejects.toMatchObject({
      kind: "missing",
      next: "install mariadb-client or mysql-client",
    });
  });

  test("gets MySQL's own options where it is MySQL's, and names behind --", async () => {
    const mysql = (await dump(putPrograms({ mysqldump: MYSQL }), "mysql")).split("\n");
    expect(mysql[0]).toBe("--defaults-file=/dev/fd/3");
    expect(mysql).toContain("--set-gtid-purged=OFF");
    expect(mysql.slice(mysql.indexOf("--")).slice(0, 3)).toEqual(["--", "school", "--odd"]);
  });

  test("gets none of them where it is MariaDB's, which refuses them", async () => {
    const text = await dump(putPrograms({ mysqldump: OLD_MARIADB }), "mysql");
    expect(text).not.toMatch(/gtid|column-statistics/);
  });

  test("of MySQL 5.7 does not know column statistics, and is not ended by that", async () => {
    const refuse = `case " $* " in *" --column-statistics"*) echo "unknown variable 'column-statistics=0'" >&2; exit 7;; esac`;
    const text = await dump(putPrograms({ mysqldump: OLD_MYSQL }, refuse), "mysql");
    expect(text).toContain("--loose-column-statistics=0");
  });
});

describe("a password", () => {
  test.each([["it's"], ['a "word"'], ["back\\slash"], ["# no comment"], [" spaces "], ["ñ€🔑"]])(
    "of %o goes into the option file, and into no argument",
    async (password) => {
      const text = await dump(putPrograms({ mysqldump: MYSQL }), "mysql", password);
      const escaped = password.replace(/[\\"]/g, "\\$&");
      const [args = "", file = ""] = text.split("[client]\n");
      expect(file).toBe(`user="app"\npassword="${escaped}"\n`);
      expect(args).not.toContain(password);
    },
  );

  test("with a line break is refused before anything is started", async () => {
    await expect(dump(putPrograms({ mysqldump: MYSQL }), "mysql", "a\nb")).rejects.toMatchObject({
      kind: "access",
    });
  });
});
