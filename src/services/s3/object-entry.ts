/** What is known of an object: as a listing shows it, and as a catalog remembers it. */

/** An object of a listing. */
export interface ListedObject {
  /** Behind the prefix of its place. */
  key: string;
  size: number;
  /** Without its quotes. */
  etag: string;
  /** To the second, since that is all that a header says: `2026-01-31T02:15:00Z`. */
  modified: string;
  /** Where it is not STANDARD. */
  storageClass?: string;
}

/** What became of an object where it was put. */
export interface StoredCopy {
  /** That of the copy, where it is another one. */
  etag?: string;
  /** Where its bucket keeps versions. */
  version?: string;
  /** Hexadecimal, where its bytes went through this machine. */
  sha256?: string;
  /** Bytes of each of its pieces but the last, where it was put together of several. */
  pieceBytes?: number;
}

/** An object that is in the copy: one line of a catalog. */
export interface CatalogEntry extends ListedObject {
  /** Version of the source that was copied. */
  version?: string;
  copy: StoredCopy;
  /** What belongs to it that a file cannot carry. */
  headers?: ObjectHeaders;
  /** How many complete listings of the source in a row were without it; absent: it was in the last. */
  missing?: number;
}

/** What an object has besides its bytes, by the names of S3's API. */
export interface ObjectHeaders {
  ContentType?: string;
  CacheControl?: string;
  ContentDisposition?: string;
  ContentEncoding?: string;
  ContentLanguage?: string;
  /** As its header was. */
  Expires?: string;
  WebsiteRedirectLocation?: string;
  Metadata?: Record<string, string>;
  /** As the parameters of an address: `class=B1&pupil=7`. */
  Tagging?: string;
  StorageClass?: string;
}

/** Given the time that S3 has said, return it as catalogs have it. Pure. */
export const toSecond = (at: Date | undefined): string =>
  `${(at ?? new Date(0)).toISOString().slice(0, 19)}Z`;

/** Given an etag as a header has it, return it without its quotes. Pure. */
export const bareEtag = (etag: string | undefined): string => (etag ?? "").replaceAll('"', "");

/** Given a listing and what is remembered of the same key, return whether the object is still what was copied. Pure. */
export function isSame(listed: ListedObject, known: CatalogEntry): boolean {
  return (
    listed.size === known.size && listed.etag === known.etag && listed.modified === known.modified
  );
}
