/** A time limit that stands still while somebody else is being waited for. */
export interface PhaseTimer {
  /** Run the given wait with the limit standing still, and return what it returns. */
  paused<T>(wait: () => Promise<T>): Promise<T>;
  stop(): void;
}

/** Given a limit in milliseconds and what to do when it has passed, start the limit. */
export function startPhaseTimer(limitMs: number, expired: () => void): PhaseTimer {
  let leftMs = limitMs;
  let startedMs = performance.now();
  let timer = setTimeout(expired, leftMs);
  let stopped = false;
  let pauses = 0;

  return {
    async paused(wait) {
      if (pauses++ === 0) {
        clearTimeout(timer);
        leftMs = Math.max(0, leftMs - (performance.now() - startedMs));
      }
      try {
        return await wait();
      } finally {
        if (--pauses === 0 && !stopped) {
          startedMs = performance.now();
          timer = setTimeout(expired, leftMs);
        }
      }
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
