/** Returns a function that calls `make` when it is first called, and gives that same result, or failure, to every later call. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
