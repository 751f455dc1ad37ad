import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { TEST_DATABASES } from "../support/ground.ts";
import { expect, test } from "vitest";
import { type ScriptedS3, startScriptedS3 } from "../lab/scripted-s3.ts";
import { type BackupGround, makeBackupGround } from "../support/backup-ground.ts";
import { LCOPS } from "../support/program.ts";
import { startProgram } from "../support/run-lcops.ts";
import { BUCKET_SECRET, useBucket } from "../support/use-bucket.ts";
import { useLab } from "../support/lab.ts";

const lab = await useLab("mysql");

const WEBHOOK_TOKEN = "webhook-token-of-lcops-nobody-may-see";

/**
 * What processes of a run are seen to have: their command lines, and the environments of all but lcops itself, whose variables are the
 * operator's. A child that has not become its program yet shows what lcops has.
 */
async function watchProcesses(root: number, ended: Promise<unknown>): Promise<Set<string>> {
  const seen = new Set<string>();
  let isOver = false;
  void ended.finally(() => (isOver = true));
  const own = read(`/proc/${root}/cmdline`);
  while (!isOver) {
    for (const pid of descendantsOf(root)) {
      const before = read(`/proc/${pid}/cmdline`);
      seen.add(before);
      // Its name in front, so that a finding names it.
      if (before !== own) seen.add(`${before}${read(`/proc/${pid}/environ`)}`);
    }
    await wait(1);
  }
  return seen;
}

function descendantsOf(root: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const [, parent] = /\) \S (\d+)/.exec(read(`/proc/${entry}/stat`)) ?? [];
    parents.set(Number(entry), Number(parent));
  }
  const all = [root];
  for (const pid of all) for (const [child, parent] of parents) if (parent === pid) all.push(child);
  return all;
}

const read = (file: string): string => {
  try {
    return readFileSync(file, "latin1");
  } catch {
    // Ended meanwhile.
    return "";
  }
};

/** Everything that is on the disk below a folder, but for what the operator wrote there himself. */
const readBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => read(path.join(entry.parentPath, entry.name)));

/** Who is told of each run, and must be, with a token in the address. */
async function startWebhook(): Promise<{ url: string; told: string[]; close: () => void }> {
  const told: string[] = [];
  const server = createServer((request, response) => {
    told.push(request.url ?? "");
    request.resume().on("end", () => response.end());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/${WEBHOOK_TOKEN}`,
    told,
    close: () => void server.close(),
  };
}

/** A second job, of the lab's MariaDB; returns the password that it uses. */
function addMysql(ground: BackupGround): string | undefined {
  const { mysql } = lab.services;
  if (!mysql) return undefined;
  const password = read(mysql.passwordFiles["app"] ?? "").trim();
  ground.environment["LCOPS_TEST_MYSQL"] = password;
  ground.configure((config) => {
    if (!config.services || !config.backups) return;
    config.services["school"] = {
      kind: "mysql",
      environment: "dev",
      address: mysql.primary.address,
      port: mysql.primary.port,
      user: "app",
      password: "${env:LCOPS_TEST_MYSQL}" as never,
      database: mysql.database,
    };
    config.backups.jobs["school"] = {
      service: "school",
      mysql: { exclude: [...TEST_DATABASES] },
      notify: ["team"],
    };
  });
  return password;
}

test("no secret is seen in a command line, a child's environment, an output, a log, the journal, or at a destination", async () => {
  const ground = makeBackupGround();
  const s3: ScriptedS3 = await startScriptedS3();
  const webhook = await startWebhook();
  try {
    useBucket(ground, s3.url);
    const [identity, second] = [await generateX25519Identity(), await generateX25519Identity()];
    const recipients = await Promise.all([identity, second].map(identityToRecipient));
    writeFileSync(ground.at("age.key"), `${identity}\n`, { mode: 0o600 });
    Object.assign(ground.environment, {
      LCOPS_TEST_AGE: second,
      LCOPS_TEST_WEBHOOK: webhook.url,
      // As an operator may have them, in place of a profile's.
      AWS_SECRET_ACCESS_KEY: BUCKET_SECRET,
      AWS_ACCESS_KEY_ID: "AKIALCOPSLABDEV00000",
    });
    ground.configure((config) => {
      const { backups } = config;
      if (!backups?.jobs["graphite"]) return;
      config.notify = { team: { webhook: "${env:LCOPS_TEST_WEBHOOK}" as never, when: "always" } };
      backups.recipients = recipients;
      backups.identities = [`\${file:${ground.at("age.key")}}`, "${env:LCOPS_TEST_AGE}"] as never;
      backups.jobs["graphite"].notify = ["team"];
    });
    const password = addMysql(ground);
    const secrets = [
      identity,
      second,
      WEBHOOK_TOKEN,
      BUCKET_SECRET,
      ...(password ? [password] : []),
    ];
    const seen: string[] = [];
    const run = async (...words: string[]): Promise<void> => {
      const running = startProgram(process.execPath, [LCOPS, ...words, "-v"], {
        environment: ground.environment,
        timeoutMs: 60_000,
      });
      const processes = await watchProcesses(running.pid, running.ended);
      const { code, stdout, stderr } = await running.ended;
      expect({ words, code, stderr: code === 0 ? "" : stderr }).toEqual({
        words,
        code: 0,
        stderr: "",
      });
      // It was looked at while it ran, its children too.
      expect(processes.size).toBeGreaterThan(1);
      seen.push(...processes, stdout, stderr);
    };
    await run("backup", "run");
    await run("backup", "verify", "--level", "decode");
    await run("backup", "drill");
    await run("backup", "restore", "graphite", "--into", ground.at("all"), "--yes");
    expect(webhook.told).toContain(`/${WEBHOOK_TOKEN}`);
    // Who listens nowhere is told of with a warning.
    webhook.close();
    ground.environment["LCOPS_TEST_WEBHOOK"] = `http://127.0.0.1:9/${WEBHOOK_TOKEN}`;
    await run("backup", "run", "graphite");
    seen.push(...readBelow(ground.at("home")), ...readBelow(ground.at("operator")));
    seen.push(...[...s3.objects.values()].map((bytes) => bytes.toString("latin1")));
    const leaks = secrets.flatMap((secret) =>
      seen
        .filter((text) => text.includes(secret))
        .map(
          (text) => `${text.slice(0, 100)} … ${text.slice(text.indexOf(secret) - 50).slice(0, 50)}`,
        ),
    );
    expect(leaks.map((text) => JSON.stringify(text))).toEqual([]);
  } finally {
    webhook.close();
    await s3.close();
    ground.remove();
  }
}, 120_000);
