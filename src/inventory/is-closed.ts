import { errorCode } from "../system/errors.ts";

const NOBODY_THERE = new Set(["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "EHOSTUNREACH"]);
const NOT_OFFERED = new Set([
  "OptInRequired",
  "SubscriptionRequiredException",
  "UnknownOperationException",
  "InvalidAction",
  "TimeoutError",
]);
const GONE = new Set([404, 410]);

/**
 * Given what a call to a service threw, return whether it tells that the service is closed: no such name, nobody there, no answer, not
 * offered to this account, or gone. Who is denied, slowed down or signed out has met a service that is open.
 */
export function isClosed(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (NOBODY_THERE.has(errorCode(error) ?? "") || NOT_OFFERED.has(error.name)) return true;
  return GONE.has(readStatus(error) ?? 0);
}

/** Where the answer could not be read, the SDK has no status, but the answer. */
function readStatus(error: Error): number | undefined {
  const { $metadata, $response } = error as Error & {
    $metadata?: { httpStatusCode?: number };
    $response?: { statusCode?: number };
  };
  return $metadata?.httpStatusCode ?? $response?.statusCode;
}
