import type { Sample } from "./read-samples.ts";
import { TimeBuckets } from "./time-buckets.ts";
import { TimeSlots } from "./time-slots.ts";

export interface LabelSummary {
  label: string;
  samples: number;
  failed: number;
  meanMs: number;
  p50Ms: number;
  p90Ms: number;
  p95Ms: number;
  p99Ms: number;
  maxMs: number;
}

export interface LoadSummary {
  samples: number;
  failed: number;
  /** From the beginning of the first one to the end of the last one. */
  seconds: number;
  perSecond: number;
  /** Of all labels. */
  total: LabelSummary;
  labels: LabelSummary[];
  /** Why samples have failed, what is most often first. */
  reasons: { why: string; count: number }[];
  /** Over time, each value for so many seconds. */
  overTime: { seconds: number; perSecond: number[]; meanMs: number[] };
}

/** A plan may make a label of each address that it asks: the later ones are told together, and so are reasons. */
const MOST_LABELS = 50;
const MOST_REASONS = 20;
const OTHERS = "(others)";
const LONGEST_REASON = 200;

/** What was sampled so far. Its memory does not grow with the samples. */
export class LoadCount {
  readonly #total = new LabelCount();
  readonly #labels = new Map<string, LabelCount>();
  readonly #reasons = new Map<string, number>();
  readonly #slots = new TimeSlots();
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  add(sample: Sample): void {
    const { at, elapsedMs, label, hasFailed, why } = sample;
    this.#first = Math.min(this.#first, at);
    this.#last = Math.max(this.#last, at + elapsedMs);
    this.#slots.add(at, elapsedMs);
    this.#total.add(elapsedMs, hasFailed);
    const key = pickKey(this.#labels, label, MOST_LABELS);
    const count = this.#labels.get(key) ?? new LabelCount();
    count.add(elapsedMs, hasFailed);
    this.#labels.set(key, count);
    if (!hasFailed) return;
    const reason = pickKey(this.#reasons, why.slice(0, LONGEST_REASON), MOST_REASONS);
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
  }

  summarise(): LoadSummary {
    const total = this.#total.summarise("all");
    const seconds = total.samples === 0 ? 0 : (this.#last - this.#first) / 1_000;
    return {
      samples: total.samples,
      failed: total.failed,
      seconds,
      // All within the same millisecond is no endless speed.
      perSecond: total.samples / Math.max(seconds, 0.001),
      total,
      labels: Array.from(this.#labels, ([label, count]) => count.summarise(label)),
      reasons: Array.from(this.#reasons, ([why, count]) => ({ why, count })).toSorted(
        (left, right) => right.count - left.count,
      ),
      overTime: this.#slots.list(),
    };
  }
}

class LabelCount {
  readonly #times = new TimeBuckets();
  #failed = 0;

  add(elapsedMs: number, hasFailed: boolean): void {
    this.#times.add(elapsedMs);
    if (hasFailed) this.#failed++;
  }

  summarise(label: string): LabelSummary {
    const times = this.#times;
    return {
      label,
      samples: times.count,
      failed: this.#failed,
      meanMs: times.meanMs(),
      p50Ms: times.percentileMs(0.5),
      p90Ms: times.percentileMs(0.9),
      p95Ms: times.percentileMs(0.95),
      p99Ms: times.percentileMs(0.99),
      maxMs: times.largestMs,
    };
  }
}

function pickKey(known: ReadonlyMap<string, unknown>, key: string, most: number): string {
  return known.has(key) || known.size < most ? key : OTHERS;
}
