import { setTimeout as wait } from "node:timers/promises";
import { pauseMs } from "./ask-patiently.ts";
import type { Item } from "./attribute-value.ts";
import type { DynamoDb } from "./connect-dynamodb.ts";
import {
  explainDynamoDbError,
  isPassing,
  isRefusal,
  isThrottle,
} from "./explain-dynamodb-error.ts";
import type { RowWrite } from "./plan-write.ts";
import { readRow } from "./read-row.ts";
import { describeError, OperatorError } from "../../system/errors.ts";

/**
 * `refused`: its condition does not hold, and that is what the row is now. Nothing was written, unless an attempt whose answer never
 * came was made, and written over since.
 */
export type WriteOutcome =
  | { state: "done" }
  | { state: "refused"; now: Item | undefined; mayHaveLanded: boolean };

const MOST_ATTEMPTS = 4;

/**
 * Given a conditional write, make it. An attempt whose answer never came may have been made: the write is repeated, which its
 * condition allows once only, and what the row then is settles it. Throws an OperatorError where nothing was written;
 * `UnknownOutcome` where nobody can tell.
 */
export async function writeRow(
  dynamoDb: DynamoDb,
  table: string,
  key: Item,
  write: RowWrite,
): Promise<WriteOutcome> {
  let isAmbiguous = false;
  for (let failures = 1; ; failures++) {
    try {
      await dynamoDb.ask(write.operation, write.body);
      return { state: "done" };
    } catch (error) {
      const isConditional =
        error instanceof Error && error.name === "ConditionalCheckFailedException";
      if (isConditional) {
        const now = await readRow(dynamoDb, table, key).catch((unread: unknown) => {
          throw isAmbiguous ? makeUnknown(unread) : unread;
        });
        // Ours, of an earlier attempt; or another writer's of the same, which is as good.
        return write.hasLanded(now)
          ? { state: "done" }
          : { state: "refused", now, mayHaveLanded: isAmbiguous };
      }
      const explained = explainDynamoDbError(error, write.operation, table, dynamoDb);
      const isSafe = isRefusal(error);
      isAmbiguous ||= !isSafe && !isNeverSent(error);
      const mayRepeat = isThrottle(error) || (!isSafe && isPassing(error));
      if (dynamoDb.signal.aborted || failures >= MOST_ATTEMPTS || !mayRepeat) {
        if (!isAmbiguous) {
          dynamoDb.signal.throwIfAborted();
          throw explained;
        }
        return await settle(dynamoDb, table, key, write, explained);
      }
      await wait(pauseMs(failures), undefined, { signal: dynamoDb.signal }).catch(() => undefined);
    }
  }
}

/** Nobody was there to take it. */
function isNeverSent(error: unknown): boolean {
  return ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"].includes(
    (error as { code?: string } | null)?.code ?? "",
  );
}

/** It could not be found out whether a write was made. */
export class UnknownOutcome extends OperatorError {}

async function settle(
  dynamoDb: DynamoDb,
  table: string,
  key: Item,
  write: RowWrite,
  error: OperatorError,
): Promise<WriteOutcome> {
  const found = await readRow(dynamoDb, table, key).then(
    (now) => ({ now }),
    () => undefined,
  );
  if (found && write.hasLanded(found.now)) return { state: "done" };
  throw makeUnknown(error, found && ", and so far it is not there");
}

function makeUnknown(error: unknown, more = ""): UnknownOutcome {
  return new UnknownOutcome(
    "failed",
    `${describeError(error)}: whether the write was made is not known${more}`,
    { next: "look with lcops dyn dump-row before you repeat it", cause: error },
  );
}
