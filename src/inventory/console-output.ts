import { EC2Client, GetConsoleOutputCommand } from "@aws-sdk/client-ec2";
import type { AwsScope } from "../aws/aws-scope.ts";
import { type AwsAccess, clientOptions } from "../aws/client-options.ts";
import { explainAwsError } from "../aws/explain-error.ts";

/** A console holds 64 KiB; more is none. */
const MAX_BYTES = 1024 * 1024;
/** What EC2 answers where an instance type has no newest output (Nitro has it). */
const NO_LATEST = new Set([
  "UnsupportedOperation",
  "InvalidParameterValue",
  "InvalidParameterCombination",
]);

/**
 * Given a scope and an instance, return what its console shows now and what it showed after its last start, each where there
 * is one: of the first the buffer may have lost the beginning, the second comes minutes late. Errors: those of `explainAwsError`.
 */
export async function* fetchConsole(
  scope: AwsScope,
  instanceId: string,
  access: AwsAccess,
): AsyncGenerator<string> {
  const client = new EC2Client(await clientOptions(scope, "EC2", access));
  try {
    for (const latest of [true, false]) {
      const command = new GetConsoleOutputCommand({
        InstanceId: instanceId,
        ...(latest && { Latest: true }),
      });
      try {
        const { Output = "" } = await client.send(command, { abortSignal: access.signal });
        if (Output.length <= MAX_BYTES * 2) yield Buffer.from(Output, "base64").toString("utf8");
      } catch (error) {
        if (!latest || !(error instanceof Error) || !NO_LATEST.has(error.name)) throw error;
      }
    }
  } catch (error) {
    access.signal.throwIfAborted();
    throw explainAwsError(error, "ec2:GetConsoleOutput", scope);
  } finally {
    client.destroy();
  }
}
