import type { Reader } from "../services/mysql/open-reader.ts";
import {
  type CatchUp,
  type Following,
  readAuroraLag,
  readFollowing,
  readHealth,
  type ServerHealth,
} from "../services/mysql/read-replication.ts";
import { describeEnd } from "./limit-time.ts";
import { type CheckReport, draftReport, type ReportDraft } from "./report.ts";

export interface HealthOptions {
  names: readonly [string, string];
  maxLagSeconds: number;
  /** See `Pair`. */
  catchUp: CatchUp | undefined;
  signal: AbortSignal;
}

/** What became of it, and why there is no sense in comparing the rows; undefined where there is. */
export interface HealthResult {
  report: CheckReport;
  obstacle: string | undefined;
}

/** Given a primary and its replica, return whether they are two servers, one of which follows the other closely, with the same settings. */
export async function checkHealth(
  primary: Reader,
  replica: Reader,
  options: HealthOptions,
): Promise<HealthResult> {
  const [name, replicaName] = options.names;
  const draft = draftReport("health", `${name} and ${replicaName}`);
  const [one, other] = [await readHealth(primary.server), await readHealth(replica.server)];
  const find = (object: string, kind: string, detail: string): void =>
    void draft.find({ object, kind, detail });
  draft.look("servers", 2);
  if (one.isReadOnly) find(name, "read-only", "the primary is read-only");
  if (!other.isReadOnly)
    find(replicaName, "writable", "the replica takes writes: read_only is off");
  compareSettings(one, other, options.names, draft);
  const obstacle = isSameServer(one, other)
    ? "both names lead to one and the same server"
    : other.isAuroraReader
      ? await checkAuroraReader(replica, options, draft)
      : await checkFollowing(replica, one, options, draft).catch((error: unknown) => {
          // What was found of it stays found.
          const why = describeEnd(error, options.signal);
          draft.leave(`replication of ${replicaName}`, why);
          return why;
        });
  if (isSameServer(one, other)) find(replicaName, "same-server", obstacle ?? "");
  const shared = other.isAuroraReader
    ? "a reader of Aurora shares the storage of its writer"
    : undefined;
  return { report: draft.end(), obstacle: obstacle ?? shared };
}

/** A copied data folder has the same server_uuid, and a container the same host name and folder: what tells two servers apart is any of it. */
function isSameServer(one: ServerHealth, other: ServerHealth): boolean {
  const names = new Set([...Object.keys(one.identity), ...Object.keys(other.identity)]);
  return [...names].every((name) => one.identity[name] === other.identity[name]);
}

function compareSettings(
  one: ServerHealth,
  other: ServerHealth,
  names: readonly [string, string],
  draft: ReportDraft,
): void {
  const all = new Set([...Object.keys(one.settings), ...Object.keys(other.settings)]);
  draft.look("settings", all.size + 1);
  const pairs = [...all].map((name) => [name, one.settings[name], other.settings[name]] as const);
  for (const [setting, here, there] of [
    ["version", one.version, other.version] as const,
    ...pairs,
  ]) {
    if (here === there || isOfReplicas(setting, here, there)) continue;
    const detail = `${here ?? "unknown"} on ${names[0]}, ${there ?? "unknown"} on ${names[1]}`;
    draft.find({ object: setting, kind: "setting", detail });
  }
}

/** Events run on the primary alone. */
function isOfReplicas(setting: string, here?: string, there?: string): boolean {
  return (
    setting === "event_scheduler" && here === "ON" && (there === "OFF" || there === "DISABLED")
  );
}

/** Returns why rows need not be compared. */
async function checkFollowing(
  replica: Reader,
  one: ServerHealth,
  { names, maxLagSeconds, catchUp }: HealthOptions,
  draft: ReportDraft,
): Promise<string | undefined> {
  const [, name] = names;
  const find = (kind: string, detail: string): string => {
    draft.find({ object: name, kind, detail });
    return detail;
  };
  const following = await readFollowing(replica, one.identity["server_id"]);
  if (typeof following === "string") {
    draft.skip(
      `replication of ${name}`,
      `${following}; GRANT REPLICA MONITOR (MariaDB) or REPLICATION CLIENT (MySQL) ON *.*`,
    );
    return undefined;
  }
  draft.look("replicas", 1);
  if (!following.source) return find("follows-nobody", "it follows no other server");
  for (const filter of following.filters)
    find(`filter ${filter.split("=")[0]}`, `replication leaves something out: ${filter}`);
  const sourceId = following.source.serverId;
  const primaryId = one.identity["server_id"];
  if (sourceId !== "0" && primaryId !== undefined && sourceId !== primaryId)
    return find(
      "other-source",
      `it follows ${following.source.place} (server_id ${sourceId}), and not ${names[0]} (server_id ${primaryId})`,
    );
  const stopped = describeStop(following);
  if (stopped !== undefined) return find("stopped", stopped);
  if (following.delaySeconds > maxLagSeconds)
    return find("delayed", `it is told to stay ${following.delaySeconds} s behind`);
  // What it says of itself is what it has received: whether it has all is asked of the primary.
  const began = performance.now();
  const isThere = catchUp
    ? await catchUp(maxLagSeconds)
    : (following.lagSeconds ?? Infinity) <= maxLagSeconds;
  if (!isThere) {
    const waited = Math.round((performance.now() - began) / 1000);
    return find(
      "lag",
      `it has not got in ${Math.max(waited, maxLagSeconds)} s what the primary had written; it says ${following.lagSeconds ?? "nothing"} of its seconds behind`,
    );
  }
  return undefined;
}

/** It follows nobody, and its lag is told elsewhere. Returns nothing: rows are not compared with it anyway. */
async function checkAuroraReader(
  replica: Reader,
  { names, maxLagSeconds, signal }: HealthOptions,
  draft: ReportDraft,
): Promise<undefined> {
  const [, name] = names;
  try {
    const lagSeconds = await readAuroraLag(replica);
    if (lagSeconds === undefined) draft.skip(`lag of ${name}`, "the cluster says nothing of it");
    else draft.look("replicas", 1);
    if (lagSeconds !== undefined && lagSeconds > maxLagSeconds)
      draft.find({ object: name, kind: "lag", detail: `it is ${lagSeconds} s behind its writer` });
  } catch (error) {
    draft.leave(`lag of ${name}`, describeEnd(error, signal));
  }
}

/** NULL of its seconds behind means that it is stopped, and not that it lags by nothing. */
function describeStop({ isReceiving, isApplying, lastError }: Following): string | undefined {
  if (isReceiving && isApplying) return undefined;
  const what = [...(isReceiving ? [] : ["receiving"]), ...(isApplying ? [] : ["applying"])];
  return `the replica is stopped: it is not ${what.join(" nor ")}${lastError === "" ? "" : `: ${lastError}`}`;
}
