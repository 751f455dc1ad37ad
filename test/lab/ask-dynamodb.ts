/** Calls to DynamoDB, as JSON and without a client: emulators check no signature. */

export type DynamoPlace = { endpointUrl: string; region: string };

/** Takes where it is, an operation and its request; returns the answer. Throws with the service's words where it refuses. */
export async function askDynamoDb<T = unknown>(
  { endpointUrl, region }: DynamoPlace,
  operation: string,
  request: object,
): Promise<T> {
  const response = await fetch(endpointUrl, {
    method: "POST",
    headers: {
      "Content-Type": "application/x-amz-json-1.0",
      "X-Amz-Target": `DynamoDB_20120810.${operation}`,
      "X-Amz-Date": "20260101T000000Z",
      Authorization: `AWS4-HMAC-SHA256 Credential=AKIALCOPSLABDEV00000/20260101/${region}/dynamodb/aws4_request, SignedHeaders=host, Signature=0`,
    },
    body: JSON.stringify(request),
    signal: AbortSignal.timeout(120_000),
  });
  const answer = (await response.json()) as T;
  if (!response.ok) throw new Error(`${operation}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}
