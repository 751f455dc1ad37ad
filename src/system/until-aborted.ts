/** Given a signal, return a promise that never resolves, and rejects with the signal's reason; to race with. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  const promise = new Promise<never>((_, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
  // Whoever races with it may have its answer before.
  promise.catch(() => undefined);
  return promise;
}
