import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import type { MysqlConfig } from "../../src/services/mysql/settings.ts";
import type { Config } from "../support/known-config.ts";
import { until } from "../support/until.ts";
import { sendSql as sendLabSql } from "../support/send-sql.ts";
import { makeGround, type Ground } from "../support/ground.ts";
import { testWith } from "../support/lab.ts";
import { isLeftRaw, openPty } from "../support/pty.ts";
import { LCOPS } from "../support/program.ts";
import { runLcops, startLcops, startProgram, type LcopsResult } from "../support/run-lcops.ts";

const withMysql = testWith("mysql");
const PASSWORDS = {
  quotes: `it's "so" called`,
  backslashes: String.raw`C:\new\"\\`,
  spaces: " in front and behind ",
  hash: "a#b;c=[d]$e`f`",
  umlauts: "Grüße-Ærø-雪",
};

let ground: Ground;
beforeAll(async () => {
  ground = await makeGround();
  if (!ground.lab.services.mysql) return;
  const users = Object.entries(PASSWORDS).map(
    ([user, password]) =>
      `CREATE USER e2e_${user}@'%' IDENTIFIED BY '${password.replace(/[\\']/g, "\\$&")}'; GRANT SELECT ON school.* TO e2e_${user}@'%';`,
  );
  await sendSql(users.join("\n"));
});
afterAll(async () => {
  if (ground.lab.services.mysql)
    await sendSql(
      Object.keys(PASSWORDS)
        .map((user) => `DROP USER e2e_${user}@'%';`)
        .join("\n"),
    );
  ground.remove();
});

const sendSql = (sql: string): Promise<string> => sendLabSql(ground.lab, sql);

const mysql = (
  args: string[],
  options: { config?: string; more?: Record<string, string> } = {},
): Promise<LcopsResult> =>
  runLcops(["mysql", ...(options.config ? ["--config", options.config] : []), ...args], {
    environment: { ...ground.environment, ...options.more },
  });

function deriveSchool(change: (school: MysqlConfig, config: Config) => void): string {
  return ground.deriveConfig((config) =>
    change(config.services?.["school"] as MysqlConfig, config),
  );
}

const SERVER = ["--", "--batch", "--skip-column-names", "-e", "select @@server_id, database()"];

describe("the server", () => {
  withMysql("is the primary, with its database open", async () => {
    expect(await mysql(SERVER)).toEqual({
      code: 0,
      signal: null,
      stdout: "1\tschool\n",
      stderr: "",
    });
    expect((await mysql(["information_schema", ...SERVER])).stdout).toBe("1\tinformation_schema\n");
  });

  withMysql("takes SQL from a pipe", async () => {
    const result = await runLcops(["mysql", "--", "-N"], {
      environment: ground.environment,
      stdin: "select 40 + 2;\nselect count(*) > 0 from students;\n",
    });
    expect(result).toEqual({ code: 0, signal: null, stdout: "42\n1\n", stderr: "" });
  });

  testWith("replica")("is the replica with --replica", async () => {
    expect(await mysql(["--replica", ...SERVER])).toMatchObject({ code: 0, stdout: "2\tschool\n" });
  });

  testWith("replica", "hosts")("is reached through a host, the replica too", async () => {
    const config = deriveSchool((school) => {
      delete school.environment;
      school.host = "GraphStats";
    });
    for (const [flags, id] of [
      [[], "1"],
      [["--replica"], "2"],
    ] as const) {
      const result = await mysql([...flags, "-v", ...SERVER], { config });
      expect(result).toMatchObject({ code: 0, stdout: `${id}\tschool\n` });
      expect(result.stderr).toMatch(/^school: 127\.0\.0\.1:\d+ through GraphStats$/m);
    }
  });

  testWith("mysql")("that stands in lcops' environment reaches no child's", async () => {
    const config = deriveSchool((school) => {
      school.password = "${env:LCOPS_TEST_PASSWORD}";
    });
    const file = ground.lab.services.mysql?.passwordFiles["app"] ?? "";
    const password = readFileSync(file, "utf8").trim();
    const script = ["--config", config, "--", "-n", "-e", "select 'begun'; select sleep(2)"];
    const running = startProgram(process.execPath, [LCOPS, "mysql", ...script], {
      environment: { ...ground.environment, LCOPS_TEST_PASSWORD: password },
    });
    await running.waitFor(/begun/);
    const holding = scanProcesses().filter((one) => isHolding(one, password));
    // lcops was started with it; nobody else has it.
    expect(holding.map(({ pid }) => pid)).toEqual([String(running.pid)]);
    expect((await running.ended).code).toBe(0);
  });

  testWith("mysql", "hosts")("is reached over its open tunnel where there is one", async () => {
    const localPort = await ground.pickPort();
    const config = deriveSchool((school) => {
      delete school.environment;
      Object.assign(school, { host: "GraphStats", localPort });
    });
    const tunnel = startLcops(["tunnel", "open", "school", "--config", config], {
      environment: ground.environment,
    });
    await tunnel.waitFor(/^school {2}tcp:\/\/localhost:\d+\/ {2}ready \(.*MariaDB.*\)$/m);
    const result = await mysql(["-v", ...SERVER], { config });
    expect(result).toMatchObject({ code: 0, stdout: "1\tschool\n" });
    expect(result.stderr).toContain(`school: 127.0.0.1:${localPort} over the open tunnel school\n`);
    tunnel.send("SIGTERM");
    await tunnel.ended;
  });
});

describe("the password", () => {
  withMysql(
    "is in no process's arguments or environment, nor in a file, while the client runs",
    async () => {
      const file = ground.lab.services.mysql?.passwordFiles["app"] ?? "";
      const password = readFileSync(file, "utf8").trim();
      expect(password.length).toBeGreaterThan(8);
      const temporary = path.join(ground.folder, "tmp");
      mkdirSync(temporary);
      const running = startLcops(["mysql", "--", "-n", "-e", "select 'begun'; select sleep(2)"], {
        environment: { ...ground.environment, TMPDIR: temporary },
      });
      await running.waitFor(/begun/);
      const seen = scanProcesses();
      const holding = seen.filter((one) => isHolding(one, password));
      expect(readdirSync(temporary)).toEqual([]);
      // The scan sees the client and its variables.
      const client = seen.filter(({ text }) => text.includes("--defaults-extra-file=/dev/fd/3"));
      expect(client.map(({ text }) => text).join()).toContain(`TMPDIR=${temporary}`);
      expect(holding.map(({ pid }) => pid)).toEqual([]);
      expect((await running.ended).code).toBe(0);
    },
  );

  withMysql.each(Object.entries(PASSWORDS))("may have %s", async (user, password) => {
    const file = ground.writeFile(`password-${user}`, `${password}\n`);
    const config = deriveSchool((school) => {
      Object.assign(school, { user: `e2e_${user}`, password: `\${file:${file}}` });
    });
    const result = await mysql(["--", "-N", "-e", "select current_user()"], { config });
    expect(result).toMatchObject({ code: 0, stdout: `e2e_${user}@%\n` });
  });

  withMysql("comes from a variable or a command, too", async () => {
    const file = ground.lab.services.mysql?.passwordFiles["app"] ?? "";
    const value = readFileSync(file, "utf8").trim();
    for (const [reference, more] of [
      ["${env:SCHOOL_PASSWORD}", { SCHOOL_PASSWORD: value }],
      [`\${command:cat ${file}}`, {}],
    ] as const) {
      const config = deriveSchool((school) => (school.password = reference));
      expect(await mysql(SERVER, { config, more })).toMatchObject({
        code: 0,
        stdout: "1\tschool\n",
      });
    }
  });

  withMysql.each([
    ["${env:NOSUCH_VARIABLE}", /\$\{env:NOSUCH_VARIABLE\}.*not set/],
    ["${file:/nosuch-file}", /\$\{file:\/nosuch-file\}/],
    ["${command:false}", /\$\{command:false\}.*ended with 1/],
    ["${command:nosuch-program}", /nosuch-program is not installed/],
  ])("is missed by name where %s leads nowhere", async (reference, said) => {
    const config = deriveSchool((school) => (school.password = reference));
    const result = await mysql(SERVER, { config });
    expect(result).toMatchObject({ code: 255, stdout: "" });
    expect(result.stderr).toMatch(said);
  });

  withMysql("is not taken from a file that others can read", async () => {
    const file = ground.writeFile("open-to-all", "s3cret-s3cret", 0o644);
    const config = deriveSchool((school) => (school.password = `\${file:${file}}`));
    const result = await mysql(SERVER, { config });
    expect(result).toMatchObject({ code: 255, stdout: "" });
    expect(result.stderr).toContain("chmod 600");
    expect(result.stderr).not.toContain("s3cret");
  });
});

/** The tests of backup-secrets run beside these, with the same password in this variable. */
const OTHERS_VARIABLE = "LCOPS_TEST_MYSQL=";

const isHolding = ({ text }: { text: string }, password: string): boolean =>
  text.includes(password) && !text.includes(OTHERS_VARIABLE);

function scanProcesses(): { pid: string; text: string }[] {
  const read = (file: string): string => {
    try {
      return readFileSync(file, "latin1");
    } catch {
      return "";
    }
  };
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map((pid) => ({
      pid,
      text: `${read(`/proc/${pid}/cmdline`)}\0${read(`/proc/${pid}/environ`)}`,
    }));
}

const SLEEPING = "SELECT info FROM information_schema.processlist WHERE state = 'User sleep';";

withMysql("Ctrl-C in the client ends the query, not the client and not lcops", async () => {
  const pty = openPty(["mysql"], { environment: ground.environment, showsMode: true });
  await pty.waitFor("[school]>");
  pty.mark();
  pty.type("select 'running', sleep(30);\r");
  const isRunning = async (): Promise<boolean> => (await sendSql(SLEEPING)).includes("running");
  await until("the query runs", isRunning);
  pty.press("ctrl-c");
  await pty.waitFor(/\n.*\[school\]>$/);
  expect(pty.text()).toMatch(/interrupted|killed|aborted/i);
  expect(await isRunning()).toBe(false);
  pty.type("select 40+2;\r");
  await pty.waitFor(/\|\s+42 \|/);
  pty.type("quit\r");
  expect((await pty.exit).code).toBe(0);
  expect(isLeftRaw(pty.text())).toBe(false);
});
