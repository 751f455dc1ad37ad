import { describeError, OperatorError } from "../../system/errors.ts";
import { describeBytes } from "../../system/quantities.ts";
import type { HealthState, Reading } from "../../system/reading.ts";
import type { HealthPlace } from "../service.ts";
import { describeBits } from "./describe-bits.ts";
import { fetchStatus } from "./fetch-status.ts";
import type { MonitConfig } from "./settings.ts";
import { type MonitService, type MonitStatus, parseStatus } from "./parse-status.ts";

/** A look that takes its time is no hanging Monit, however often it looks. */
const SHORTEST_STALE_SECONDS = 60;
const STALE_POLLS = 3;

/** Asks Monit how everything is that it watches. What it was told not to watch is not well, whatever its last status. */
export async function readHealth(
  place: HealthPlace<MonitConfig>,
  signal: AbortSignal,
): Promise<Reading[]> {
  const { status, body, now, where } = await fetchStatus(place, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    if (error instanceof OperatorError) throw error;
    throw new OperatorError("unreachable", `${place.name}: ${describeError(error)}`);
  });
  if (status === 401 || status === 403) {
    throw new OperatorError("access", `${place.name}: ${where} wants another login (${status})`, {
      next: `give ${place.name} the user and the password of Monit's "allow" in the configuration`,
    });
  }
  const found = status === 200 ? parseStatus(body) : undefined;
  if (!found) {
    const what = status === 200 ? "is not Monit's status, or not whole" : `is HTTP ${status}`;
    throw new OperatorError("failed", `${place.name}: what ${where} answers ${what}`);
  }
  return judgeStatus(place.name, found, now);
}

/** Given what a Monit says and its own clock in Unix seconds, return how it and each thing is that it watches. Pure. */
export function judgeStatus(name: string, status: MonitStatus, now: number): Reading[] {
  const looked = Math.max(0, ...status.services.map(({ collectedAt }) => collectedAt));
  const hangs = now - looked > staleAfter(status, 1);
  const count = status.services.length;
  const own: Reading = {
    area: "monit",
    name,
    state: count === 0 || hangs ? "unknown" : "ok",
    detail: hangs
      ? `Monit ${status.version} has not looked for ${now - looked} s, and should every ${status.pollSeconds} s`
      : `Monit ${status.version} watches ${count === 0 ? "nothing" : count}`,
    ...(looked > 0 && { seenAt: isoOf(looked) }),
  };
  return [own, ...status.services.map((one) => judgeService(name, one, status, now))];
}

function judgeService(
  monit: string,
  service: MonitService,
  status: MonitStatus,
  now: number,
): Reading {
  const [state, detail] = judge(service, status, now);
  return {
    area: "monit",
    name: `${monit}/${service.name}`,
    state,
    detail: `${service.kind}: ${detail}`,
    ...(service.collectedAt > 0 && { seenAt: isoOf(service.collectedAt) }),
    ...(service.disk && state !== "unknown" && { disk: service.disk }),
  };
}

function judge(
  service: MonitService,
  status: MonitStatus,
  now: number,
): [state: HealthState, detail: string] {
  const { monitor, status: bits, message, every, collectedAt, disk } = service;
  // First: one that fails and is then left unwatched shows status 0.
  if (monitor === 0) return ["unmonitored", "Monit was told not to watch it"];
  if (monitor === 1 && bits > 0) return ["fail", `fails: ${message ?? describeBits(bits)}`];
  if (monitor === 2) return ["unknown", "not looked at yet"];
  if (monitor === 4) return ["unknown", "Monit waits for what it depends on"];
  if (monitor !== 1 || bits !== 0)
    return ["unknown", `Monit says monitor ${monitor} and status ${bits} of it`];
  const age = now - collectedAt;
  if (every !== undefined && age > staleAfter(status, every))
    return ["unknown", `last looked at ${age} s ago`];
  return ["ok", disk ? describeDisk(disk) : "as it should be"];
}

const staleAfter = ({ pollSeconds }: MonitStatus, every: number): number =>
  Math.max(SHORTEST_STALE_SECONDS, STALE_POLLS * pollSeconds * every);

const isoOf = (seconds: number): string => new Date(seconds * 1000).toISOString();

function describeDisk({
  usedBytes,
  totalBytes,
}: {
  usedBytes: number;
  totalBytes: number;
}): string {
  return `uses ${describeBytes(usedBytes)} of ${describeBytes(totalBytes)}`;
}
