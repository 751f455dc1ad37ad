import type { HealthState, Reading } from "../../system/reading.ts";
import { describeAge } from "../../system/quantities.ts";
import { keyOf } from "./memory.ts";
import { type Source, unknownOf } from "./source.ts";

/** A reading of a source that is asked again and again. */
interface KeptReading {
  reading: Reading;
  /** How it was when somebody last knew it; absent where the reading says what is known. */
  was?: { state: HealthState; detail: string; atMs: number };
}

/** What a source has said, and when it was last heard of. */
export interface KeptAnswer {
  readings: readonly KeptReading[];
  atMs: number;
}

/** Past the time by which a source has answered or is given up: then nobody asks any more, as in a computer that slept. */
const SLACK_MS = 2_000;

/** Given what a source has said before and now, return what is kept. What it says no more while it is not well itself is not gone: it is unknown. Pure. */
export function keepAnswer(
  before: KeptAnswer | undefined,
  source: Pick<Source, "area" | "name">,
  readings: readonly Reading[],
  nowMs: number,
): KeptAnswer {
  const own = readings.find((one) => keyOf(one) === keyOf(source));
  const said = new Set(readings.map(keyOf));
  const silent =
    own !== undefined && own.state !== "ok"
      ? (before?.readings ?? []).filter(({ reading }) => !said.has(keyOf(reading)))
      : [];
  return {
    atMs: nowMs,
    readings: [
      ...readings.map((reading) => ({ reading })),
      ...silent.map((kept) =>
        loseSight(kept, `${source.area} ${source.name} is ${own?.state}`, before?.atMs ?? nowMs),
      ),
    ],
  };
}

/** Given what a source has said before, and why it says nothing now, return what is kept: all of it is unknown, with what was known last. Pure. */
export function keepSilence(
  before: KeptAnswer | undefined,
  source: Pick<Source, "area" | "name">,
  error: unknown,
  nowMs: number,
): KeptAnswer {
  const unknown = unknownOf(source, error);
  const known = before?.readings ?? [];
  const lost = known.map((kept) => loseSight(kept, unknown.detail, before?.atMs ?? nowMs));
  const hasOwn = known.some(({ reading }) => keyOf(reading) === keyOf(unknown));
  return {
    atMs: nowMs,
    readings: hasOwn
      ? lost.map((kept) => withNext(kept, unknown))
      : [{ reading: unknown }, ...lost],
  };
}

function withNext(kept: KeptReading, { area, name, next }: Reading): KeptReading {
  const isOwn = keyOf(kept.reading) === keyOf({ area, name });
  return isOwn && next !== undefined ? { ...kept, reading: { ...kept.reading, next } } : kept;
}

function loseSight({ reading, was }: KeptReading, why: string, atMs: number): KeptReading {
  const { area, name, state, detail } = reading;
  // By this machine's clock: that of a Monit need not be right.
  const known = was ?? { state, detail, atMs };
  return {
    reading: { area, name, state: "unknown", detail: why },
    ...(known.state !== "unknown" && { was: known }),
  };
}

/** Given what is kept of a source, return its readings as they are now: what was known once with its age, and nothing as known that nobody has looked at for too long. Pure. */
export function readKept(
  { readings, atMs }: KeptAnswer,
  { everyMs, limitMs }: Pick<Source, "everyMs" | "limitMs">,
  nowMs: number,
): Reading[] {
  const freshMs = everyMs + limitMs + SLACK_MS;
  const isStale = nowMs - atMs > freshMs;
  return readings.map((kept) => {
    if (!isStale || kept.was) return describeKept(kept, nowMs);
    const lost = describeKept(loseSight(kept, "not looked at any more", atMs), nowMs);
    return { ...lost, since: new Date(atMs + freshMs).toISOString() };
  });
}

function describeKept({ reading, was }: KeptReading, nowMs: number): Reading {
  if (!was) return reading;
  const { state, detail, atMs } = was;
  return {
    ...reading,
    detail: `${reading.detail}; ${describeAge(nowMs - atMs)} ago ${state}: ${detail}`,
    seenAt: new Date(atMs).toISOString(),
  };
}
