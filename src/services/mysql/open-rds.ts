import type * as RdsPackage from "@aws-sdk/client-rds";
import type { AwsScope } from "../../aws/aws-scope.ts";
import type { ExternalReference } from "../set-content.ts";
import type { ServicePlace } from "../../reach/service-place.ts";

/** RDS, as it is asked within one run. */
export interface Rds {
  client: RdsPackage.RDSClient;
  commands: typeof RdsPackage;
  scope: AwsScope;
  /** Given an action of IAM and what to ask, return the answer. Throws in our words. */
  ask: Ask;
}

type Ask = <T>(action: string, asked: (signal: AbortSignal) => Promise<T>) => Promise<T>;

/** Given a place whose AWS is asked, and a reference whose region is meant (undefined: that of the environment), call `use` with RDS there. */
export async function withRds<T>(
  place: ServicePlace,
  signal: AbortSignal,
  reference: ExternalReference | undefined,
  use: (rds: Rds) => Promise<T>,
): Promise<T> {
  const { scope, access } = await place.aws(reference?.region);
  const commands = await import("@aws-sdk/client-rds");
  const { clientOptions } = await import("../../aws/client-options.ts");
  const client = new commands.RDSClient(await clientOptions(scope, "RDS", access));
  try {
    return await use({ client, commands, scope, ask: askWithin(signal, scope) });
  } finally {
    client.destroy();
  }
}

/** Given a signal that ends what is asked, return what asks. */
export const askWithin =
  (signal: AbortSignal, scope: AwsScope): Ask =>
  async (action, asked) => {
    try {
      return await asked(signal);
    } catch (error) {
      signal.throwIfAborted();
      if (isNotThere(error)) throw error;
      const { explainAwsError } = await import("../../aws/explain-error.ts");
      throw explainAwsError(error, action, scope);
    }
  };

/** Given anything that was thrown, return whether what was asked for is not there. The SDK names the first of both with and without its ending. */
export const isNotThere = (error: unknown): boolean =>
  error instanceof Error && /^DB(Instance|Snapshot)NotFound(Fault)?$/.test(error.name);
