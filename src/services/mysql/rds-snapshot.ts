import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { DBInstance, DBSnapshot } from "@aws-sdk/client-rds";
import { type AwsScope, describeScope } from "../../aws/aws-scope.ts";
import { OperatorError } from "../../system/errors.ts";
import { guardPages } from "../../system/guard-pages.ts";
import type {
  BackupDriver,
  BackupWarning,
  DriverOptions,
  DumpOutcome,
  DumpPlan,
} from "../backup-driver.ts";
import type { ExternalReference } from "../set-content.ts";
import { askWithin, isNotThere, type Rds, withRds } from "./open-rds.ts";
import type { ServicePlace } from "../../reach/service-place.ts";
import type { MysqlJob } from "./settings.ts";

const KIND = "rds-snapshot";
/** Only a snapshot that has it is ever removed. */
const OURS = "lcops:instance";
/** The set that it was taken for. */
const SET = "lcops:set";
const POLL_MS = { first: 1_000, longest: 30_000 };
/** The first snapshot of a large instance takes hours; what takes longer will not come. */
const FOLLOW_LIMIT_MS = 6 * 3_600_000;
/** What a run that was stopped may still take, to remove its snapshot. */
const CLEAN_UP_LIMIT_MS = 30_000;

/** Given a job with `mysql.rdsSnapshot`, look at the instance and return what a snapshot of it would be. Throws `configuration` where there is none, `failed` where it cannot be taken now. */
export function planRdsSnapshot(place: ServicePlace, options: DriverOptions): Promise<DumpPlan> {
  return withRds(place, options.signal, undefined, async (rds) => {
    const instance = await findInstance(rds, instanceOf(options));
    const status = instance.DBInstanceStatus ?? "unknown";
    if (status !== "available") {
      throw new OperatorError(
        "failed",
        `${instanceOf(options)} is ${status}, and a snapshot needs it available`,
        { next: "run it again when aws rds describe-db-instances shows it available" },
      );
    }
    const estimatedBytes = (instance.AllocatedStorage ?? 0) * 1024 ** 3;
    return {
      objects: [{ name: instanceOf(options), ...(estimatedBytes > 0 && { estimatedBytes }) }],
      warnings: warnOf(instance),
    };
  });
}

/** Given a job with `mysql.rdsSnapshot`, take a snapshot and follow it until it is available. Where that fails or is stopped, the snapshot is removed. */
export function takeRdsSnapshot(place: ServicePlace, options: DriverOptions): Promise<DumpOutcome> {
  return withRds(place, options.signal, undefined, async (rds) => {
    const instance = await findInstance(rds, instanceOf(options));
    const id = await createSnapshot(rds, place, options);
    try {
      const snapshot = await followSnapshot(rds, id, options);
      // It would be readable by whoever may copy snapshots.
      if (instance.StorageEncrypted && !snapshot.Encrypted)
        throw new OperatorError("failed", `${id} is not encrypted, as its instance is`);
      return describeOutcome(id, snapshot, instance, rds.scope);
    } catch (error) {
      // With a signal of its own: that of the run may be what ended it.
      const ask = askWithin(AbortSignal.timeout(CLEAN_UP_LIMIT_MS), rds.scope);
      await removeOurs({ ...rds, ask }, id).catch(() =>
        options.trace(`${id} is left behind: aws rds delete-db-snapshot removes it`),
      );
      throw error;
    }
  });
}

/** What lcops can do with a snapshot that a set stands for. */
export const rdsSnapshots: NonNullable<BackupDriver["external"]> = {
  verify: (reference, place, { signal }) =>
    withRds(place, signal, reference, async (rds) => {
      const snapshot = await findSnapshot(rds, reference.id);
      if (!snapshot) return `the snapshot ${reference.id} is gone`;
      const { Status = "unknown" } = snapshot;
      return Status === "available" ? undefined : `the snapshot ${reference.id} is ${Status}`;
    }),
  remove: (reference, place, { signal }) =>
    withRds(place, signal, reference, (rds) => removeOurs(rds, reference.id)),
  findLeft: async (setIds, place, options) =>
    instanceOf(options) === ""
      ? []
      : withRds(place, options.signal, undefined, (rds) =>
          findOurs(rds, instanceOf(options), new Set(setIds)),
        ),
};

const instanceOf = ({ job }: DriverOptions<MysqlJob>): string => job.mysql?.rdsSnapshot ?? "";

async function findInstance(
  { ask, client, commands, scope }: Rds,
  id: string,
): Promise<DBInstance> {
  const command = new commands.DescribeDBInstancesCommand({ DBInstanceIdentifier: id });
  const instances = await ask("rds:DescribeDBInstances", (abortSignal) =>
    client.send(command, { abortSignal }),
  ).then(
    ({ DBInstances = [] }) => DBInstances,
    (error: unknown) => {
      if (isNotThere(error)) return [];
      throw error;
    },
  );
  const [instance] = instances;
  if (!instance) {
    throw new OperatorError("configuration", `there is no RDS instance ${id} in ${scope.region}`, {
      next: "correct mysql.rdsSnapshot of the job, or the environment's region",
    });
  }
  if (instance.DBClusterIdentifier !== undefined) {
    throw new OperatorError("configuration", `${id} belongs to a cluster of Aurora`, {
      next: "lcops takes snapshots of instances only; dump it instead, without mysql.rdsSnapshot",
    });
  }
  return instance;
}

function warnOf({ MultiAZ, DBInstanceIdentifier: object }: DBInstance): BackupWarning[] {
  // RDS user guide, "Creating a DB snapshot": with a standby it is the one that is read.
  if (MultiAZ || object === undefined) return [];
  const detail = "it has no standby: its input and output stand still while the snapshot begins";
  return [{ code: "SINGLE_AZ", object, detail }];
}

async function createSnapshot(
  rds: Rds,
  place: ServicePlace,
  options: DriverOptions,
): Promise<string> {
  const instance = instanceOf(options);
  const at = new Date().toISOString().replaceAll(/\D/g, "").slice(0, 14);
  const id = `lcops-${at}-${randomBytes(3).toString("hex")}`;
  const command = new rds.commands.CreateDBSnapshotCommand({
    DBInstanceIdentifier: instance,
    DBSnapshotIdentifier: id,
    Tags: [
      { Key: OURS, Value: instance },
      { Key: "lcops:service", Value: place.name },
      ...(options.setId === undefined ? [] : [{ Key: SET, Value: options.setId }]),
    ],
  });
  await rds.ask("rds:CreateDBSnapshot", (abortSignal) => rds.client.send(command, { abortSignal }));
  return id;
}

async function followSnapshot(rds: Rds, id: string, options: DriverOptions): Promise<DBSnapshot> {
  const began = performance.now();
  for (let pause = POLL_MS.first; ; pause = Math.min(pause * 2, POLL_MS.longest)) {
    const snapshot = await findSnapshot(rds, id);
    const status = snapshot?.Status ?? "gone";
    if (snapshot && status === "available") return snapshot;
    if (status !== "creating" && status !== "pending")
      throw new OperatorError("failed", `the snapshot ${id} is ${status}`);
    if (performance.now() - began > FOLLOW_LIMIT_MS)
      throw new OperatorError(
        "failed",
        `the snapshot ${id} was not available after ${FOLLOW_LIMIT_MS / 3_600_000} hours`,
      );
    options.update(`${id}: ${status}, ${snapshot?.PercentProgress ?? 0} %`);
    await wait(pause, undefined, { signal: options.signal }).catch((error: unknown) => {
      options.signal.throwIfAborted();
      throw error;
    });
  }
}

async function findSnapshot(rds: Rds, id: string): Promise<DBSnapshot | undefined> {
  const command = new rds.commands.DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: id });
  try {
    const { DBSnapshots: [snapshot] = [] } = await rds.ask(
      "rds:DescribeDBSnapshots",
      (abortSignal) => rds.client.send(command, { abortSignal }),
    );
    return snapshot;
  } catch (error) {
    if (isNotThere(error)) return undefined;
    throw error;
  }
}

/** Those that lcops took of the instance for sets of these names. */
async function findOurs(
  { ask, client, commands, scope }: Rds,
  instance: string,
  setIds: ReadonlySet<string>,
): Promise<ExternalReference[]> {
  const found: ExternalReference[] = [];
  const action = "rds:DescribeDBSnapshots";
  await ask(action, async (abortSignal) => {
    const pages = commands.paginateDescribeDBSnapshots(
      { client },
      { DBInstanceIdentifier: instance, SnapshotType: "manual" },
      { abortSignal },
    );
    const what = `${action} in ${describeScope(scope)}`;
    for await (const page of guardPages(pages, ({ Marker }) => Marker, what))
      for (const snapshot of page.DBSnapshots ?? []) {
        const { DBSnapshotIdentifier: id, TagList = [] } = snapshot;
        const set = TagList.find(({ Key }) => Key === SET)?.Value;
        if (id !== undefined && set !== undefined && setIds.has(set) && isOurs(snapshot))
          found.push({ kind: KIND, id, region: scope.region });
      }
  });
  return found;
}

const isOurs = ({ SnapshotType, TagList = [], DBInstanceIdentifier }: DBSnapshot): boolean =>
  SnapshotType === "manual" &&
  TagList.some(({ Key, Value }) => Key === OURS && Value === DBInstanceIdentifier);

/** What is gone already is no error. Throws `refused` where it is not one of ours. */
async function removeOurs(rds: Rds, id: string): Promise<void> {
  const snapshot = await findSnapshot(rds, id);
  if (!snapshot) return;
  if (!isOurs(snapshot)) {
    throw new OperatorError("refused", `the snapshot ${id} was not made by lcops`, {
      next: `it has no tag ${OURS}; remove it by hand where it must go`,
    });
  }
  const command = new rds.commands.DeleteDBSnapshotCommand({ DBSnapshotIdentifier: id });
  try {
    await rds.ask("rds:DeleteDBSnapshot", (abortSignal) =>
      rds.client.send(command, { abortSignal }),
    );
  } catch (error) {
    if (!isNotThere(error)) throw error;
  }
}

function describeOutcome(
  id: string,
  snapshot: DBSnapshot,
  instance: DBInstance,
  scope: AwsScope,
): DumpOutcome {
  const account = /^arn:[^:]+:rds:[^:]*:(\d{12}):/.exec(snapshot.DBSnapshotArn ?? "")?.[1];
  return {
    consistency: {
      level: "storage-snapshot",
      at: (snapshot.SnapshotCreateTime ?? new Date()).toISOString(),
      proof: { snapshot: id, gigabytes: snapshot.AllocatedStorage ?? 0 },
    },
    source: {
      engine: snapshot.Engine ?? instance.Engine ?? "mysql",
      version: snapshot.EngineVersion ?? instance.EngineVersion ?? "",
      ...(instance.DbiResourceId !== undefined && { serverId: instance.DbiResourceId }),
    },
    // Nothing can be read of it before it is restored.
    facts: [],
    external: {
      kind: KIND,
      id,
      region: scope.region,
      ...(account !== undefined && { account }),
    },
  };
}
