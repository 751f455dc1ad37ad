import { setTimeout as wait } from "node:timers/promises";
import type { PagePool } from "./page-pool.ts";
import type { DynamoDb, Operation } from "./connect-dynamodb.ts";
import { explainDynamoDbError, isPassing, isThrottle } from "./explain-dynamodb-error.ts";

/** The network and faults of the service; full jitter, as the AWS SDKs have it. */
const MOST_ATTEMPTS = 8;
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [50, 5_000];

/** Given how often it has failed, return for how long to wait: at random, up to twice as long each time. */
export function pauseMs(failures: number): number {
  return Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
}

/**
 * Given a question that changes nothing, ask it until it is answered, and return what `read` makes of the answer's bytes. Throws an OperatorError after
 * eight attempts, and at once where another attempt would not help; `throwThrottle`: a throttle too, as it was thrown.
 */
export async function askPatiently<T = Buffer>(
  dynamoDb: DynamoDb,
  operation: Operation,
  request: {
    table: string;
    body: string;
    throwThrottle?: boolean;
    pool?: PagePool;
    read?: (bytes: Buffer) => T;
  },
): Promise<T> {
  const read = request.read ?? ((bytes: Buffer) => bytes as T);
  for (let failures = 1; ; failures++) {
    try {
      return read(await dynamoDb.ask(operation, request.body, request.pool));
    } catch (error) {
      dynamoDb.signal.throwIfAborted();
      if (isThrottle(error) && request.throwThrottle) throw error;
      if (failures >= MOST_ATTEMPTS || !(isPassing(error) || isThrottle(error)))
        throw explainDynamoDbError(error, operation, request.table, dynamoDb);
      await wait(pauseMs(failures), undefined, { signal: dynamoDb.signal });
    }
  }
}
