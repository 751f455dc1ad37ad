import { explainAwsError } from "../../aws/explain-error.ts";
import { describeScope } from "../../aws/aws-scope.ts";
import { describeError, OperatorError } from "../../system/errors.ts";
import type { DynamoDb, Operation } from "./connect-dynamodb.ts";

const THROTTLES = new Set([
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "ThrottlingException",
]);

/** Given what a call threw, return whether the service asks to slow down. Pure. */
export function isThrottle(error: unknown): boolean {
  return error instanceof Error && THROTTLES.has(error.name);
}

/** Given what a call threw, return the HTTP status of the service's answer; undefined where it has not answered. Pure. */
function statusOf(error: unknown): number | undefined {
  const metadata = (error as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata;
  return metadata?.httpStatusCode;
}

/** Given what a call threw, return whether the service refused it, and so has not done it. Pure. */
export function isRefusal(error: unknown): boolean {
  const status = statusOf(error);
  return status !== undefined && status >= 400 && status < 500;
}

const NETWORK =
  /^(ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|ENOTFOUND|ERR_STREAM_PREMATURE_CLOSE)$/;

/** Given what a call threw, return whether it may work the next time: the network, and faults of the service itself. Pure. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const status = statusOf(error);
  if (status !== undefined) return status >= 500;
  return (
    error.name === "TimeoutError" ||
    NETWORK.test((error as { code?: string }).code ?? "") ||
    /checksum|aborted|socket hang up|no page/.test(error.message)
  );
}

/** Given what a call threw, return it in our words: those of `explainAwsError`, and what only DynamoDB says. */
export function explainDynamoDbError(
  error: unknown,
  operation: Operation,
  table: string,
  { scope }: Pick<DynamoDb, "scope">,
): OperatorError {
  if (error instanceof OperatorError) return error;
  const name = error instanceof Error ? error.name : "";
  const where = `${table} in ${describeScope(scope)}`;
  if (name === "ResourceNotFoundException")
    return new OperatorError("usage", `there is no table ${where}`, {
      next: "see lcops dyn tables",
      cause: error,
    });
  if (THROTTLES.has(name))
    return new OperatorError("unreachable", `${where}: ${operation} is throttled (${name})`, {
      next: "try again later, or give the table more capacity",
      cause: error,
    });
  const isOfItem = [
    "ValidationException",
    "ItemCollectionSizeLimitExceededException",
    "SerializationException",
    "ResourceInUseException",
    "TransactionConflictException",
    "ReplicatedWriteConflictException",
  ].includes(name);
  if (isOfItem)
    return new OperatorError("failed", `${where}: ${operation}: ${describeError(error)}`, {
      cause: error,
    });
  return explainAwsError(error, `dynamodb:${operation}`, scope);
}
