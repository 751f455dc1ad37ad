/** Page tokens: where the next page begins, and the how manieth it is. */

export type Place = { offset: number; page: number };

/** Takes a place; returns a token that no other call returns, as AWS's never repeat. */
export function makeToken(place: Place, serial: number): string {
  return Buffer.from(JSON.stringify({ ...place, serial })).toString("base64url");
}

/** Takes a token; returns its place, the beginning for none, or undefined when it is not one of ours. */
export function readToken(token: string | undefined): Place | undefined {
  if (token === undefined || token === "") return { offset: 0, page: 1 };
  try {
    const place = JSON.parse(Buffer.from(token, "base64url").toString()) as Place;
    return Number.isInteger(place.offset) && Number.isInteger(place.page) ? place : undefined;
  } catch {
    return undefined;
  }
}
