/** What a set says of itself: its parts, its source, and what was true of it. Types only. */
import type { Readable } from "node:stream";

export interface NewPart {
  /**
   * Relative, `/` between the levels, each percent-encoded with `encodePartName`; without the endings of compression and
   * encryption: `mysql/shop/orders.0000.sql`.
   */
  path: string;
  /** The object of the plan that it belongs to; several parts may. */
  object: string;
  /** What it is to its driver: `schema`, `data`, `index`. */
  role: string;
  /** Place among the parts of its object and role, from 0. */
  seq: number;
}

export interface PartRecord extends NewPart {
  /** As it is stored, `mysql/shop/orders.0000.sql.zst.age`. */
  path: string;
  plain: ByteDigest;
  stored: ByteDigest;
  /** From the plain bytes outwards. */
  codec: readonly ("zstd" | "gzip" | "age")[];
  /** The earlier set of the job whose bytes it has; absent: the set's own. */
  in?: string;
}

export interface ByteDigest {
  bytes: number;
  /** Hexadecimal. */
  sha256: string;
}

/** Strongest first: a snapshot of the storage, one transaction, several that are proven to see the same, each object for itself, none. */
type ConsistencyLevel =
  | "storage-snapshot"
  | "single-snapshot"
  | "lock-synced"
  | "position-synced"
  | "per-object"
  | "fuzzy";

export interface Consistency {
  level: ConsistencyLevel;
  /** ISO 8601, UTC: the moment whose state the set shows; of `per-object` and `fuzzy`, when reading began. */
  at: string;
  /** What proves the level: positions before and after, how long a lock was held. */
  proof: Readonly<Record<string, string | number>>;
}

export interface SourceIdentity {
  /** `mysql`, `mariadb`, `whisper` */
  engine: string;
  version: string;
  /** Tells this server from any other: server_uuid; nothing secret, no path of this machine. */
  serverId?: string;
}

/** What was true of an object. Two facts of an object agree when all that both state is equal, and they state the same. */
export interface Fact {
  object: string;
  rows?: number;
  /** With its method in front: `crc32-xor:3294497391`. */
  checksum?: string;
  /** Which state of the object it was: while its source says the same, it has not changed. Not compared after a restore. */
  state?: string;
}

/** Bytes that live elsewhere: an RDS snapshot. */
export interface ExternalReference {
  kind: string;
  id: string;
  /** Whether lcops itself restores it: then it is drilled as any other set is. */
  isRestorable?: boolean;
  /** What this snapshot added to what was there, and all that it holds. */
  bytes?: { added: number; total: number };
  region?: string;
  account?: string;
}

/** What a driver may know of a set. */
export interface SetContent {
  setId: string;
  job: string;
  /** Kind of the service. */
  kind: string;
  source: SourceIdentity;
  consistency: Consistency;
  /** The inventory at the time of the dump. */
  objects: readonly string[];
  skipped: readonly { object: string; reason: string }[];
  parts: readonly PartRecord[];
  facts: readonly Fact[];
  external?: ExternalReference;
}

/** A set, and its bytes. */
export interface SetReader extends SetContent {
  /**
   * A part's plain bytes. The stream is destroyed with an error, at its end too, where the stored or the plain bytes are not those of the record:
   * what was made of them until then must not stand.
   */
  read(part: PartRecord): Readable;
}
