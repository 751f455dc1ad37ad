/** What a kind of service tells the backup room: how it is read into a set, read back, and proven. Types only. */
import type { Readable } from "node:stream";
import type { BackupJobConfig } from "../config/backup-schema.ts";
import type { ServiceConfig } from "../config/schema.ts";
import type { ServicePlace } from "../reach/service-place.ts";
import type { Journal } from "../system/journal.ts";
import type { RestoreTarget } from "./restore-target.ts";
import type {
  NewPart,
  PartRecord,
  Consistency,
  SourceIdentity,
  Fact,
  ExternalReference,
  SetContent,
  SetReader,
} from "./set-content.ts";

/**
 * A driver knows its service's protocol and nothing of sets, destinations, compression, encryption or retention; the backup room knows
 * those, and no service. Every method ends by `options.signal`, leaves no program behind, and throws OperatorError for what an operator can mend.
 */
export interface BackupDriver<C extends ServiceConfig = ServiceConfig> {
  /**
   * Looks at what a dump needs (programs, grants, versions) and what there is, and changes nothing. Returns the inventory that a complete
   * set must hold. Throws what forbids a dump: a missing program, a missing grant that would leave something out silently.
   */
  plan(place: ServicePlace<C>, options: DriverOptions): Promise<DumpPlan>;
  /**
   * Writes every object of the plan into parts. Resolves only when every program has ended well and what it wrote is whole (trailers,
   * inventory); throws otherwise, and nothing is published then. What it left out it names in `skipped`: the set is then incomplete.
   */
  dump(
    place: ServicePlace<C>,
    plan: DumpPlan,
    sink: PartSink,
    options: DumpOptions,
  ): Promise<DumpOutcome>;
  /** Given a part's decoded bytes, read to their end, returns what is wrong with their structure; undefined where it is whole. */
  checkPart(part: PartRecord, content: Readable): Promise<string | undefined>;
  /** Looks at the target of a restore and says what would be done to it, for the plan that is confirmed. Throws `usage` where `only` names nothing. */
  planRestore(
    set: SetReader,
    target: RestoreTarget<C>,
    options: SelectOptions<C>,
  ): Promise<RestorePlan>;
  /**
   * Reads the parts back in the order that they need. A part of which `isDone` says true is passed over; `markDone` follows each that stands whole.
   * What could not be had any more it returns; nothing else is left out.
   */
  restore(
    set: SetReader,
    target: RestoreTarget<C>,
    options: RestoreOptions<C>,
  ): Promise<RestoreOutcome | void>;
  /**
   * Starts, as an unprivileged user and on loopback, a place of the same flavour and major version as the set's source, or takes
   * `configured` where it is one, or room within `origin`, the job's own service, that nobody else uses. `needs` says in the operator's
   * words what is missing: `mysqld 8.x`.
   */
  openScratch(
    set: SetContent,
    options: DriverOptions & { origin: ServicePlace<C>; configured?: ServicePlace<C> },
  ): Promise<ScratchPlace | { needs: string }>;
  /** Takes the facts that the set has (`set.facts`) of what stands in the target now, by the same methods. Order does not matter. */
  measure(set: SetReader, target: RestoreTarget<C>, options: SelectOptions<C>): Promise<Fact[]>;
  /**
   * Lines of RESTORE.txt: how to restore with standard programs alone, in a POSIX shell. `decode(part)` is the command that writes
   * a part's plain bytes to its standard output.
   */
  describeRestore(set: SetContent, decode: (part: PartRecord) => string): string[];
  /** Instead of a restore of the whole into a scratch place: what a sample of it shows. */
  drill?(set: SetReader, place: ServicePlace<C>, options: DriverOptions): Promise<DrillFindings>;
  /** What is wrong with what a set stands for and does not hold itself (the objects of a copied bucket); absent: it holds all. */
  verifyElsewhere?(
    set: SetReader,
    place: ServicePlace<C>,
    level: "sizes" | "hashes" | "decode",
    options: DriverOptions,
  ): Promise<ElsewhereFindings>;
  /** For sets whose bytes live elsewhere (an RDS snapshot); absent: the kind has none. */
  external?: ExternalDriver<C>;
}

interface ExternalDriver<C extends ServiceConfig> {
  /** Returns what is wrong with it; undefined where it is there and usable. */
  verify(
    reference: ExternalReference,
    place: ServicePlace<C>,
    options: DriverOptions,
  ): Promise<string | undefined>;
  /** Removes it, if it is ours; what is gone already is no error. */
  remove(
    reference: ExternalReference,
    place: ServicePlace<C>,
    options: DriverOptions,
  ): Promise<void>;
  /** Returns what runs of the job that were killed have made for sets of these names. */
  findLeft(
    setIds: readonly string[],
    place: ServicePlace<C>,
    options: DriverOptions,
  ): Promise<ExternalReference[]>;
}

/** Every method of a driver gets these. `J` is a job with the settings of its kind (`job.mysql`, `job.graphite`). */
export interface DriverOptions<J extends BackupJobConfig = BackupJobConfig> {
  job: J;
  /** Of the set that is being made. */
  setId?: string;
  /** For the job's children, and to look for programs on its PATH. */
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** What is being done, one line, for people who watch. */
  update: (line: string) => void;
  /** Steps, for `-v`. */
  trace: (line: string) => void;
  /** How many streams are worth having at once. */
  parallel: number;
  /** A folder of this run's own (0700), removed behind it; for a scratch server's data too. */
  folder: string;
  /** A folder of this job's own that stays, for what its later runs go on from; made by whoever needs it. */
  jobFolder: string;
}

/** What a dump gets beside. */
export interface DumpOptions<J extends BackupJobConfig = BackupJobConfig> extends DriverOptions<J> {
  setId: string;
  /** Before anything is removed, it is written down here. */
  journal: Journal;
  /** Tells people, whether they watch or not, one line that they should know before it goes on. */
  warn: (line: string) => void;
  /**
   * The newest complete set of the job that stands, with every part that it has, wherever this one will: what has not changed since is referred
   * to by `PartSink.refer`. Undefined where there is none, or not every destination says so.
   */
  earlier: () => Promise<SetContent | undefined>;
}

export interface SelectOptions<C extends ServiceConfig = ServiceConfig> extends DriverOptions {
  /** `--only`: a table, a path; the driver knows which objects it names. */
  only?: string;
  /** The service that the job backs up. */
  origin: ServicePlace<C>;
}

export interface RestoreOptions<C extends ServiceConfig = ServiceConfig> extends SelectOptions<C> {
  isDone: (part: PartRecord) => boolean;
  /** On the disk when it resolves. */
  markDone: (part: PartRecord) => Promise<void>;
}

/** What a restore has left out, with the reason of each. */
export interface RestoreOutcome {
  missing: readonly { object: string; reason: string }[];
}

/** What was found out about what a set stands for and does not hold itself. */
export interface ElsewhereFindings {
  /** What is wrong with it; empty where nothing is. */
  findings: readonly string[];
  /** How many objects were read, and of how many no hash is known, so that their bytes were counted and no more; absent: none was read. */
  readBack?: { objects: number; unhashed: number };
}

/** What came of a drill that fetched a sample. */
export interface DrillFindings {
  /** Where it was fetched to, for people. */
  scratch: string;
  facts: number;
  rows: number;
  differences: { expected: Fact; found?: Fact }[];
}

export interface DumpPlan {
  objects: readonly PlannedObject[];
  /** Name and version of each program that is used. */
  programs?: Readonly<Record<string, string>>;
  warnings?: readonly BackupWarning[];
}

interface PlannedObject {
  /** `shop.orders`, `stats/counters`; not yet printable. */
  name: string;
  estimatedBytes?: number;
}

export interface BackupWarning {
  /** `NON_TRANSACTIONAL_TABLE` */
  code: string;
  object?: string;
  detail?: string;
}

/** Where a driver puts its bytes. */
export interface PartSink {
  /**
   * Compresses, encrypts, hashes and stores one part, and returns its record once it is stored. Any number may be written at once: those
   * that there is no room for wait, unread. A content that throws is not stored and write throws the same: for a program's output give an
   * iteration that throws at its end when the program ended badly, since a stream that ends proves nothing. `isRunning`: it is being written
   * already, by somebody who loses patience, and is read at once.
   */
  write(
    part: NewPart,
    content: AsyncIterable<Uint8Array>,
    options?: { isRunning?: boolean },
  ): Promise<PartRecord>;
  /** Has the set hold a part of the earlier set, whose bytes stay where they are. */
  refer(part: PartRecord, earlier: SetContent): void;
}

export interface DumpOutcome {
  consistency: Consistency;
  source: SourceIdentity;
  /** Of every object that can be compared after a restore, taken in the same snapshot as its bytes. */
  facts: readonly Fact[];
  skipped?: readonly { object: string; reason: string }[];
  /** Objects of the plan that were removed at the source meanwhile: nothing of them is missing. */
  removed?: readonly string[];
  warnings?: readonly BackupWarning[];
  external?: ExternalReference;
}

export interface RestorePlan {
  /** What would be written, for people: `shop.orders`. */
  objects: readonly string[];
  /** What stands there already and would be replaced. */
  replaces: readonly string[];
  /** Whether it would write over what the set was read from, whatever name that has now. */
  isSource: boolean;
  warnings?: readonly BackupWarning[];
}

export interface ScratchPlace<T extends RestoreTarget = RestoreTarget> {
  target: T;
  /** What it is, for the report: `mariadbd 10.11.14, started for this drill`. */
  description: string;
  /** Ends and removes it, and returns what of it could not be removed. Never throws. */
  close(): Promise<string | void>;
}
