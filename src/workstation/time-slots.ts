const MOST = 60;

/** Samples over time, in slots of equal length that are two times as long as soon as there would be more than sixty of them. */
export class TimeSlots {
  #from: number | undefined;
  #slotMs = 1_000;
  #counts: number[] = [];
  #sums: number[] = [];

  /** Given when it began, in milliseconds since 1970, and how long it took. */
  add(at: number, elapsedMs: number): void {
    this.#from ??= at;
    while (this.#slotOf(at) >= MOST) this.#widen();
    // Of two that run at once the second one may be told first.
    const slot = Math.max(0, this.#slotOf(at));
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
    this.#sums[slot] = (this.#sums[slot] ?? 0) + elapsedMs;
  }

  /** Return what there is: per slot the samples per second, and their mean in milliseconds. */
  list(): { seconds: number; perSecond: number[]; meanMs: number[] } {
    const counts = Array.from(
      { length: this.#counts.length },
      (_, slot) => this.#counts[slot] ?? 0,
    );
    return {
      seconds: this.#slotMs / 1_000,
      perSecond: counts.map((count) => (count * 1_000) / this.#slotMs),
      meanMs: counts.map((count, slot) =>
        count === 0 ? 0 : Math.round((this.#sums[slot] ?? 0) / count),
      ),
    };
  }

  #slotOf(at: number): number {
    return Math.floor((at - (this.#from ?? at)) / this.#slotMs);
  }

  #widen(): void {
    this.#counts = halve(this.#counts);
    this.#sums = halve(this.#sums);
    this.#slotMs *= 2;
  }
}

function halve(values: readonly number[]): number[] {
  return Array.from(
    { length: Math.ceil(values.length / 2) },
    (_, index) => (values[2 * index] ?? 0) + (values[2 * index + 1] ?? 0),
  );
}
