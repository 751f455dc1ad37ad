import { createServer } from "node:http";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Manifest } from "../../src/backup/manifest.ts";
import { type BackupGround, makeBackupGround } from "../support/backup-ground.ts";
import { type RunningLcops, startLcops } from "../support/run-lcops.ts";
import { useLab } from "../support/lab.ts";

const { aws } = await useLab("aws");
const hasMoto = aws?.state === "emulator";
const QUIET = { code: 0, signal: null, stdout: "", stderr: "" };
const LIMIT_MS = 60_000;

let instance = 0;
let name: string;
let ground: BackupGround;
let front: Awaited<ReturnType<typeof startFront>>;

/** moto, before which answers can be changed: it has every snapshot available at once. */
async function startFront() {
  const change = { answer: (_action: string, body: string): string => body };
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString();
      const action = new URLSearchParams(body).get("Action") ?? "";
      const { status, text } = await ask(body, request.headers.authorization ?? "");
      response.writeHead(status, { "content-type": "text/xml" });
      response.end(change.answer(action, text));
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    change,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function ask(body: string, authorization: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(aws?.endpointUrl ?? "", {
    method: "POST",
    headers: { authorization, "content-type": "application/x-www-form-urlencoded" },
    body,
  });
  return { status: answer.status, text: await answer.text() };
}

async function rds(parameters: Record<string, string>): Promise<string> {
  const { status, text } = await ask(
    new URLSearchParams({ Version: "2014-10-31", ...parameters }).toString(),
    "AWS4-HMAC-SHA256 Credential=lab/20140101/us-west-2/rds/aws4_request, SignedHeaders=host, Signature=0",
  );
  expect(status, text).toBe(200);
  return text;
}

/** Identifiers of the snapshots of this test's instance. */
async function snapshots(): Promise<string[]> {
  const text = await rds({
    Action: "DescribeDBSnapshots",
    DBInstanceIdentifier: name,
    SnapshotType: "manual",
  });
  return [...text.matchAll(/<DBSnapshotIdentifier>([^<]+)</g)].map(([, id = ""]) => id).toSorted();
}

beforeEach(async () => {
  if (!hasMoto) return;
  name = `school-${process.pid}-${++instance}`;
  ground = makeBackupGround();
  front = await startFront();
  writeFileSync(
    ground.at("aws-config"),
    `[profile dev]\nregion = us-west-2\nendpoint_url = ${front.url}\n`,
  );
  writeFileSync(
    ground.at("aws-credentials"),
    "[dev]\naws_access_key_id = AKIALCOPSLABDEV00000\naws_secret_access_key = opens-nothing\n",
    { mode: 0o600 },
  );
  Object.assign(ground.environment, {
    AWS_CONFIG_FILE: ground.at("aws-config"),
    AWS_SHARED_CREDENTIALS_FILE: ground.at("aws-credentials"),
    AWS_EC2_METADATA_DISABLED: "true",
  });
  ground.configure((config) => {
    config.environments = {
      dev: { production: false, aws: { profile: "dev", regions: ["us-west-2"] } },
    };
    config.services = {
      school: { kind: "mysql", environment: "dev", address: "127.0.0.1", port: 9 },
    };
    if (config.backups)
      config.backups.jobs = {
        school: { service: "school", mysql: { rdsSnapshot: name }, keep: { last: 1 } },
      };
  });
  await rds({
    Action: "CreateDBInstance",
    DBInstanceIdentifier: name,
    DBInstanceClass: "db.t3.micro",
    Engine: "mysql",
    EngineVersion: "8.0.36",
    AllocatedStorage: "20",
    MasterUsername: "root",
    MasterUserPassword: "opens-nothing",
    StorageEncrypted: "true",
  });
});
afterEach(() => {
  if (!hasMoto) return;
  front.close();
  ground.remove();
});

const lcops: BackupGround["lcops"] = (...words) => ground.lcops(...words);

/** A run whose snapshot is never said to be available, once it waits for that. */
async function runUntilCreating(): Promise<RunningLcops> {
  let creating: (() => void) | undefined;
  const isCreating = new Promise<void>((resolve) => (creating = resolve));
  front.change.answer = (action, body) => {
    if (action !== "DescribeDBSnapshots") return body;
    creating?.();
    return body.replace("<Status>available</Status>", "<Status>creating</Status>");
  };
  const running = startLcops(["backup", "run"], { environment: ground.environment });
  await isCreating;
  return running;
}

const manifestOf = (setId: string): Manifest =>
  JSON.parse(
    readFileSync(ground.at("server/manifests/school", `${setId}.json`), "utf8"),
  ) as Manifest;

describe.skipIf(!hasMoto)("a snapshot of RDS", () => {
  test(
    "is followed until it is available, and the set that stands for it is listed, verified and never drilled",
    async () => {
      let asked = 0;
      front.change.answer = (action, body) =>
        action === "DescribeDBSnapshots" && ++asked === 1
          ? body
              .replace("<Status>available</Status>", "<Status>creating</Status>")
              .replace(/<PercentProgress>\d+</, "<PercentProgress>40<")
          : body;
      expect(await lcops("backup", "run")).toEqual(QUIET);
      expect(asked).toBe(2);
      const [setId = ""] = await ground.sets();
      const [snapshot = ""] = await snapshots();
      const manifest = manifestOf(setId);
      expect(manifest).toMatchObject({
        result: "complete",
        objects: [name],
        parts: [],
        consistency: { level: "storage-snapshot", proof: { snapshot } },
        source: { engine: "mysql", version: "8.0.36" },
        external: { kind: "rds-snapshot", id: snapshot, region: "us-west-2" },
        warnings: [{ code: "SINGLE_AZ", object: name }],
      });
      expect(readFileSync(ground.at("server/data/school", setId, "RESTORE.txt"), "utf8")).toContain(
        `aws rds restore-db-instance-from-db-snapshot --region us-west-2 --db-snapshot-identifier ${snapshot} `,
      );
      expect(await lcops("backup", "verify")).toEqual(QUIET);
      const drill = await lcops("backup", "drill");
      expect(drill.code).toBe(3);
      expect(drill.stderr).toContain(`its bytes are a rds-snapshot, ${snapshot}`);

      // Nothing is overdue: what no drill can restore waits for none.
      const status = await lcops("backup", "status");
      expect(status.code, status.stdout + status.stderr).toBe(0);

      await rds({ Action: "DeleteDBSnapshot", DBSnapshotIdentifier: snapshot });
      const verify = await lcops("backup", "verify");
      expect(verify.code).toBe(4);
      expect(verify.stderr).toContain(`the snapshot ${snapshot} is gone`);
    },
    LIMIT_MS,
  );

  test(
    "goes with its set when it is pruned; what others made stays",
    async () => {
      await rds({
        Action: "CreateDBSnapshot",
        DBInstanceIdentifier: name,
        DBSnapshotIdentifier: `by-hand-${name}`,
      });
      expect(await lcops("backup", "run")).toEqual(QUIET);
      const [, first = ""] = await snapshots();
      expect(await lcops("backup", "run")).toEqual(QUIET);
      expect(await snapshots()).toHaveLength(3);
      expect(await lcops("backup", "verify")).toEqual(QUIET);
      const { code } = await lcops("backup", "prune", "--yes");
      expect(code).toBe(0);
      expect(await ground.sets()).toHaveLength(1);
      const left = await snapshots();
      expect(left).toHaveLength(2);
      expect(left).toContain(`by-hand-${name}`);
      expect(left).not.toContain(first);
    },
    LIMIT_MS,
  );

  test(
    "that lost its tag is nobody's to remove: prune refuses, and it stays",
    async () => {
      expect(await lcops("backup", "run")).toEqual(QUIET);
      const [first = ""] = await snapshots();
      expect(await lcops("backup", "run")).toEqual(QUIET);
      expect(await lcops("backup", "verify")).toEqual(QUIET);
      front.change.answer = (_action, body) => body.replaceAll("lcops:instance", "other");
      const pruned = await lcops("backup", "prune", "--yes");
      expect(pruned.code).toBe(5);
      expect(pruned.stderr).toContain(`the snapshot ${first} was not made by lcops`);
      expect(await snapshots()).toHaveLength(2);
    },
    LIMIT_MS,
  );

  test(
    "that fails, or whose run is stopped, is removed and no set stands for it",
    async () => {
      front.change.answer = (action, body) =>
        action === "DescribeDBSnapshots"
          ? body.replace("<Status>available</Status>", "<Status>failed</Status>")
          : body;
      const failed = await lcops("backup", "run");
      expect(failed.code).toBe(1);
      expect(failed.stderr).toMatch(/the snapshot lcops-\S+ is failed/);
      expect(await snapshots()).toEqual([]);

      const running = await runUntilCreating();
      running.send("SIGTERM");
      expect((await running.ended).code).toBe(143);
      expect(await snapshots()).toEqual([]);
      expect(await ground.sets()).toEqual([]);
    },
    LIMIT_MS,
  );

  test.each(["gc", "run"])(
    "whose run was killed before there was a set is found by its tags and removed by %s; no other one is",
    async (verb) => {
      expect(await lcops("backup", "run")).toEqual(QUIET);
      const [published = ""] = await snapshots();
      const running = await runUntilCreating();
      running.send("SIGKILL");
      await running.ended;
      front.change.answer = (_action, body) => body;
      const left = (await snapshots()).filter((id) => id !== published);
      expect(left).toHaveLength(1);
      await rds({
        Action: "CreateDBSnapshot",
        DBInstanceIdentifier: name,
        DBSnapshotIdentifier: `by-hand-${name}`,
      });
      if (verb === "gc") {
        const plan = await lcops("backup", "gc", "--dry-run");
        expect(plan.code).toBe(0);
        expect(plan.stdout).toContain(`of school: rds-snapshot ${left[0]}`);
        expect(await snapshots()).toContain(left[0]);
        expect((await lcops("backup", "gc", "--yes")).code).toBe(0);
      } else expect(await lcops("backup", "run")).toEqual(QUIET);
      const now = await snapshots();
      expect(now).not.toContain(left[0]);
      expect(now).toEqual(expect.arrayContaining([published, `by-hand-${name}`]));
      expect(now).toHaveLength(verb === "gc" ? 2 : 3);
      expect((await lcops("backup", "verify")).code).toBe(0);
    },
    LIMIT_MS,
  );

  test(
    "of an instance that is not there, or is busy, is not tried",
    async () => {
      front.change.answer = (action, body) =>
        action === "DescribeDBInstances"
          ? body.replace(/<DBInstanceStatus>\w+</, "<DBInstanceStatus>backing-up<")
          : body;
      const busy = await lcops("backup", "run");
      expect(busy.code).toBe(1);
      expect(busy.stderr).toContain(`${name} is backing-up`);
      ground.configure(({ backups }) => {
        const job = backups?.jobs["school"];
        if (job) job.mysql = { rdsSnapshot: "nowhere" };
      });
      const absent = await lcops("backup", "run");
      expect(absent.code).toBe(1);
      expect(absent.stderr).toContain("there is no RDS instance nowhere in us-west-2");
      expect(await snapshots()).toEqual([]);
    },
    LIMIT_MS,
  );
});
