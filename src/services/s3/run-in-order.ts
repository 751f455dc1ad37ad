/** So many may wait for one that takes long; it is what is done again after a crash, too. */
const WINDOW = 1024;

/**
 * Given items and what is to be done with each, return the results in the order of the items, however they end. What is done returns its result at once
 * where there is nothing to wait for. The first that throws ends it; nothing is under way any more then.
 */
export async function* runInOrder<T, R>(
  pages: AsyncIterable<readonly T[]>,
  work: (item: T) => R | Promise<R>,
): AsyncGenerator<R[]> {
  const queue: (R | Promise<R>)[] = [];
  let failure: { error: unknown } | undefined;
  const begin = (item: T): void => {
    const result = work(item);
    if (result instanceof Promise)
      result.catch((error: unknown) => {
        failure ??= { error };
      });
    queue.push(result);
  };
  // A promise in front is waited for only when the queue is full.
  const take = async (down: number): Promise<R[]> => {
    const done: R[] = [];
    while (queue.length > down || (queue.length > 0 && !(queue[0] instanceof Promise))) {
      if (failure) throw failure.error;
      const first = queue.shift() as R | Promise<R>;
      done.push(first instanceof Promise ? await first : first);
    }
    return done;
  };
  try {
    for await (const page of pages) {
      for (const item of page) {
        begin(item);
        if (queue.length >= WINDOW) yield await take(WINDOW / 2);
      }
      yield await take(WINDOW);
    }
    yield await take(0);
  } finally {
    await Promise.allSettled(queue);
  }
}
