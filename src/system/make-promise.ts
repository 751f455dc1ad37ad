/** A promise, and what settles it from outside. */
export interface Settled<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
}

/** Returns a promise that its maker settles (Promise.withResolvers comes with Node 22). A rejection that nobody waits for ends no process. */
export function makePromise<T>(): Settled<T> {
  let [resolve, reject] = [(_value: T): void => {}, (_error: Error): void => {}];
  const promise = new Promise<T>((onValue, onError) => ([resolve, reject] = [onValue, onError]));
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
