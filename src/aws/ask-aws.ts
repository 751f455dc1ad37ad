import { guardPages } from "../system/guard-pages.ts";
import { type AwsScope, describeScope } from "./aws-scope.ts";
import { type AwsAccess, clientOptions } from "./client-options.ts";
import { explainAwsError } from "./explain-error.ts";

/** One client of AWS, while it is asked. */
export interface Asking<Client> {
  client: Client;
  abortSignal: AbortSignal;
  /** Names the action of IAM that is asked from now on: an error names it. */
  begin(action: string): void;
  /** Yields the pages of that action; `tokenOf` reads the token of the next page. Throws as `guardPages` does. */
  guard<Page>(pages: AsyncIterable<Page>, tokenOf: (page: Page) => unknown): AsyncIterable<Page>;
}

/**
 * Opens a client of a service (`EC2`) in a scope, calls `ask` with it and closes it. Returns the result of `ask`. Throws the error of
 * `explainAwsError` for the action, or the reason of the signal.
 */
export async function askAws<Client extends { destroy(): void }, T>(
  Client: new (options: Awaited<ReturnType<typeof clientOptions>>) => Client,
  service: string,
  action: string,
  [scope, access]: readonly [AwsScope, AwsAccess],
  ask: (asking: Asking<Client>) => Promise<T>,
): Promise<T> {
  const client = new Client(await clientOptions(scope, service, access));
  const { signal: abortSignal } = access;
  let current = action;
  try {
    return await ask({
      client,
      abortSignal,
      begin: (next) => (current = next),
      guard: (pages, tokenOf) =>
        guardPages(pages, tokenOf, `${current} in ${describeScope(scope)}`),
    });
  } catch (error) {
    abortSignal.throwIfAborted();
    throw explainAwsError(error, current, scope);
  } finally {
    client.destroy();
  }
}
