import { setTimeout as sleep } from "node:timers/promises";
import { connectHost, type Connection, type ReachOptions } from "../reach/connect-host.ts";
import { describeInOneLine, OperatorError } from "../system/errors.ts";
import { type Answer, askHost } from "./ask-host.ts";
import { FOLLOW_SCRIPT, REBOOT_SCRIPT, START_SCRIPT } from "./host-scripts.ts";
import type { NamedHost } from "./run-on-hosts.ts";
import type { UpgradeState } from "./upgrade-state.ts";

export interface UpgradeHostOptions {
  reach: ReachOptions;
  /** Name of the job on the host: whoever finds one of that name follows it, and begins none. */
  job: string;
  /** Whether a host that wants a reboot gets one. */
  reboots: boolean;
  /** Past it a host that cannot be reached, or whose job does not end, or that does not come back, is left as unknown. */
  patienceMs: number;
  /** What was broken there before. */
  failedUnits: readonly string[];
  /** Leave: the job goes on. */
  signal: AbortSignal;
  onStep: (step: string) => void;
}

export interface UpgradedHost {
  state: Extract<UpgradeState, "done" | "failed" | "unknown">;
  why?: string;
  note?: string;
}

const PAUSE_MS = 1_000;
/** As `systemctl is-system-running` says it. */
const STARTING: ReadonlySet<string> = new Set(["initializing", "starting"]);
const START_LIMIT_MS = 60_000;

/**
 * Given a host, begin its upgrade apart from the connection, follow it to its end over any number of lost connections, reboot where that is wanted and
 * allowed, and look after it. Never throws: what nobody has seen is `unknown`.
 */
export async function upgradeHost(
  named: NamedHost,
  options: UpgradeHostOptions,
): Promise<UpgradedHost> {
  const { onStep, job } = options;
  const line = makeHostLine(named, options);
  const patienceMs = options.patienceMs;
  try {
    onStep("begins");
    const start = { patienceMs: Math.min(patienceMs, START_LIMIT_MS), isFirst: true };
    await line.ask(START_SCRIPT, () => true, { ...start, waiting: "its upgrade does not begin" });
    onStep("upgrades");
    const waiting = "its upgrade has not ended";
    const ended = await line.ask(
      FOLLOW_SCRIPT,
      (answer) => {
        onStep(one(answer, "last") ?? "upgrades");
        return answer.has("end") && (one(answer, "state") !== "running" || wasCut(answer));
      },
      { patienceMs, waiting },
    );
    const state = one(ended, "state");
    if (state === "running" || (state === "lost" && wasCut(ended)))
      return { state: "failed", why: "it was rebooted in the middle of its upgrade" };
    if (state === "lost") return { state: "failed", why: "its upgrade was killed there" };
    if (state === "unbegun") return { state: "failed", why: "its upgrade has not begun there" };
    const code = one(ended, "exit");
    if (code === undefined)
      return { state: "unknown", why: `its job ${job} has left no result there` };
    if (code !== "0")
      return { state: "failed", why: `apt-get ended with ${code}: ${one(ended, "last") ?? ""}` };
    const wantsReboot = ended.has("reboot") && one(ended, "boot") === one(ended, "begunIn");
    const looked = wantsReboot && options.reboots ? await reboot(line, options, ended) : ended;
    return judge(looked, options, wantsReboot && !options.reboots);
  } catch (error) {
    if (options.signal.aborted) return { state: "unknown", why: "lcops has left; its job goes on" };
    return { state: "unknown", why: describeInOneLine(error) };
  } finally {
    await line.close();
  }
}

/** Only another boot id proves it: an sshd that answers may be the old one. And it is judged once all of it has started. */
async function reboot(
  line: HostLine,
  { onStep, patienceMs }: UpgradeHostOptions,
  before: Answer,
): Promise<Answer> {
  onStep("reboots");
  const waiting = "it has not come back with another boot id, and started to the end";
  await line.ask(REBOOT_SCRIPT, () => true, { patienceMs, waiting });
  const isBack = (answer: Answer): boolean =>
    answer.has("end") &&
    one(answer, "boot") !== one(before, "boot") &&
    !STARTING.has(one(answer, "system") ?? "");
  return line.ask(FOLLOW_SCRIPT, isBack, { patienceMs, waiting, isFresh: true });
}

function judge(answer: Answer, options: UpgradeHostOptions, waits: boolean): UpgradedHost {
  const known = new Set(options.failedUnits);
  const broken = (answer.get("failedUnit") ?? []).filter((unit) => !known.has(unit));
  const stuck = answer.get("notRestarted") ?? [];
  if (answer.has("audit")) return { state: "failed", why: "dpkg --audit finds packages half done" };
  if (stuck.length > 0)
    return { state: "failed", why: `could not be restarted: ${stuck.join(", ")}` };
  if (broken.length > 0) return { state: "failed", why: `failed since: ${broken.join(", ")}` };
  return { state: "done", ...(waits && { note: "it wants a reboot" }) };
}

const wasCut = (answer: Answer): boolean => one(answer, "boot") !== one(answer, "begunIn");
const one = (answer: Answer, key: string): string | undefined => answer.get(key)?.[0];

/** A connection to a host that is made again whenever it is lost, at the address that the host has then. */
interface HostLine {
  /** Run the script again and again until its answer is the one; throws `unreachable` past the patience. */
  ask(script: string, isTheOne: (answer: Answer) => boolean, how: AskOptions): Promise<Answer>;
  close(): Promise<void>;
}

interface AskOptions {
  patienceMs: number;
  /** What is told where all answers were others. */
  waiting: string;
  /** With a connection of its own each time: the old one may be the dead host's. */
  isFresh?: boolean;
  /** A host that does not let in is no host that is on its way. */
  isFirst?: boolean;
}

function makeHostLine({ host }: NamedHost, { reach, signal, job }: UpgradeHostOptions): HostLine {
  let connection: Connection | undefined;
  const close = async (): Promise<void> => {
    const closing = connection;
    connection = undefined;
    await closing?.close();
  };
  return {
    close,
    ask: async (script, isTheOne, { patienceMs, waiting, isFresh, isFirst }) => {
      const endMs = performance.now() + patienceMs;
      let why = waiting;
      while (performance.now() < endMs) {
        try {
          if (isFresh || !connection?.isOpen()) await close();
          connection ??= await connectHost(host, reach);
          const answer = await askHost(connection, script, job, signal);
          if (isTheOne(answer)) return answer;
          why = waiting;
        } catch (error) {
          signal.throwIfAborted();
          if (isFirst && isFinal(error)) throw error;
          why = describeInOneLine(error);
          await close();
        }
        await sleep(PAUSE_MS, undefined, { signal });
      }
      const limit = `${Math.round(patienceMs / 1000)} s`;
      throw new OperatorError("unreachable", `${why}; given up after ${limit}`);
    },
  };
}

/** What no waiting mends: a key that is refused, a broken configuration. */
function isFinal(error: unknown): boolean {
  return error instanceof OperatorError && ["access", "configuration"].includes(error.kind);
}
