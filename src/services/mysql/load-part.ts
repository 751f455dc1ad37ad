import { OperatorError } from "../../system/errors.ts";
import type { RestoreOptions } from "../backup-driver.ts";
import type { PartRecord, SetReader } from "../set-content.ts";
import { addKeys, type Deferred, deferKeys, hasCreate } from "./defer-keys.ts";
import { type Client, feedClient } from "./feed-client.ts";
import type { Server } from "./open-server.ts";

/** A part that is restored. */
export interface Picked {
  part: PartRecord;
  /** As it was called at the source, and is at the target. */
  database: string;
  target: string;
}

/** What parts are loaded with. */
export interface Loader extends RestoreOptions {
  set: SetReader;
  server: Server;
  client: Client;
  optionFile: number;
  /** Of a part from which on its keys are built behind its rows. */
  deferBytes?: number;
}

/** Keys of a smaller table are built in no time. */
const DEFER_BYTES = 16 * 1024 * 1024;

/** Of a part with the structure of a table, those with its rows. Pure. */
export const rowsOf = ({ part }: Picked, all: readonly Picked[]): Picked[] =>
  part.role === "table"
    ? all.filter((one) => one.part.role === "rows" && one.part.object === part.object)
    : [];

/** Given a part, and all that are restored, read it into its database. Throws `failed` with the client's words. */
export async function loadPart(one: Picked, all: readonly Picked[], loader: Loader): Promise<void> {
  const { part } = one;
  const { set, client, deferBytes = DEFER_BYTES } = loader;
  const bytes = set.read(part) as AsyncIterable<Buffer>;
  const content = client.flavour === "mysql" ? withoutSandbox(bytes) : bytes;
  const isSplit = rowsOf(one, all).length > 0;
  if (isSplit) return runClient(one, inOneTransaction(withoutKeys(content)), loader);
  if (part.role === "rows") return runClient(one, inOneTransaction(checked(content)), loader);
  const isLarge = part.role === "table" && part.plain.bytes >= deferBytes;
  return runClient(one, inOneTransaction(isLarge ? keysLast(content) : content), loader);
}

/** Given the part with the structure of a table whose rows are there now, add the keys that it has not yet. */
export async function addMissingKeys(one: Picked, loader: Loader): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of loader.set.read(one.part) as AsyncIterable<Buffer>) chunks.push(chunk);
  const deferred = deferKeys(Buffer.concat(chunks));
  if (!deferred) return;
  const rows = await loader.server.query(
    "SELECT DISTINCT INDEX_NAME AS name FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?",
    [one.target, one.part.object.slice(one.database.length + 1)],
  );
  const there = new Set(rows.map(({ name }) => String(name)));
  const keys = deferred.keys.filter((key) => !there.has(nameOf(key)));
  if (keys.length === 0) return;
  const text = async function* (): AsyncIterable<Buffer> {
    yield addKeys({ ...deferred, keys });
  };
  await runClient(one, text(), loader);
}

/** Of a key as SQL has it, whose bytes are UTF-8. */
function nameOf(key: string): string {
  const quoted = /`((?:[^`]|``)+)`/.exec(key)?.[1] ?? "";
  return Buffer.from(quoted.replaceAll("``", "`"), "latin1").toString("utf8");
}

async function* withoutKeys(content: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  yield* rewriteHead(content, hasCreate, (head) => deferKeys(head)?.head ?? head);
}

/** A table whose keys cannot wait has them checked row by row: MariaDB would sort all of them in one transaction, which takes longer (MDEV-24621). */
async function* keysLast(content: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let deferred: Deferred | undefined;
  yield* rewriteHead(content, hasCreate, (head) => {
    deferred = deferKeys(head);
    return deferred?.head ?? withChecks(head);
  });
  if (deferred) yield addKeys(deferred);
}

/** Without checks MariaDB would lock the table for the first of its ranges (MDEV-515). */
const checked = (content: AsyncIterable<Buffer>): AsyncIterable<Buffer> =>
  rewriteHead(content, (head) => head.includes(NO_CHECKS), withChecks);

const NO_CHECKS = "UNIQUE_CHECKS=0 */;";

function withChecks(head: Buffer): Buffer {
  const at = head.indexOf(NO_CHECKS);
  if (at === -1) return head;
  const [before, after] = [head.subarray(0, at), head.subarray(at + NO_CHECKS.length)];
  return Buffer.concat([before, Buffer.from("UNIQUE_CHECKS=1 */;"), after]);
}

/** No table has as long a beginning. */
const LONGEST_HEAD = 4 * 1024 * 1024;

/** Collects what comes until it is enough, and changes that. */
async function* rewriteHead(
  content: AsyncIterable<Buffer>,
  isEnough: (head: Buffer) => boolean,
  rewrite: (head: Buffer) => Buffer,
): AsyncIterable<Buffer> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of content) {
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (!isEnough(head) && head.length < LONGEST_HEAD) continue;
    yield rewrite(head);
    head = undefined;
  }
  if (head !== undefined) yield rewrite(head);
}

async function runClient(
  { part, target }: Picked,
  content: AsyncIterable<Buffer>,
  { server, client, optionFile, environment, signal }: Loader,
): Promise<void> {
  try {
    await feedClient({ server, client, optionFile }, target, content, { environment, signal });
  } catch (error) {
    if (error instanceof OperatorError && error.kind === "failed")
      throw new OperatorError("failed", `${part.object}: ${error.message}`, {
        cause: error,
        ...adviseOn(error.message),
      });
    throw error;
  }
}

/** What a user without SUPER, as any on RDS, meets with triggers, routines and views (MySQL manual, Stored Program Binary Logging and Object Access Control). */
function adviseOn(message: string): { next?: string } {
  if (message.includes("ERROR 1419"))
    return {
      next: "set log_bin_trust_function_creators=1 at the target (on RDS in its parameter group), then run it again",
    };
  if (message.includes("ERROR 1227"))
    return {
      next: "it belongs to another user: restore as one that has SET USER (MariaDB) or SET_USER_ID (MySQL), then run it again",
    };
  return {};
}

/** One that is cut off before its end is taken back as far as the server can. */
async function* inOneTransaction(content: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  yield Buffer.from("SET autocommit=0;\n");
  yield* content;
  yield Buffer.from("\nCOMMIT;\n");
}

/** MariaDB's dumps begin with a line that MySQL's client takes for a command (MDEV-33727). */
async function* withoutSandbox(content: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let isFirst = true;
  for await (const chunk of content) {
    const isMarked = isFirst && chunk.subarray(0, 12).toString("latin1") === "/*M!999999\\-";
    yield isMarked ? chunk.subarray(chunk.indexOf("\n") + 1) : chunk;
    isFirst = false;
  }
}
