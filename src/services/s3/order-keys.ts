/**
 * Given two keys, return which comes first in a listing of S3: a negative number where it is the first. Listings go by the bytes of UTF-8
 * (S3 API reference, ListObjectsV2), strings of this language by those of UTF-16, which place 🎒 before ～. Pure.
 */
export function orderKeys(one: string, other: string): number {
  return one === other ? 0 : Buffer.compare(Buffer.from(one), Buffer.from(other));
}
