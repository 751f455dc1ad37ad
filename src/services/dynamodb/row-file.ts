import { createHash } from "node:crypto";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../../system/atomic-file.ts";
import { describeError, errorCode, OperatorError } from "../../system/errors.ts";
import { AttributeError, type Item, itemToJson, readItem } from "./attribute-value.ts";
import { ExactJsonError, type ExactJson, parseExactJson, writeExactJson } from "./exact-json.ts";

/** Where a row came from, and what it was. */
interface RowOrigin {
  table: string;
  arn: string;
  account: string;
  region: string;
  /** Where it was asked for, where that was not AWS itself. */
  endpoint?: string;
  fetchedAt: string;
  /** SHA-256 of the row as it was, which is kept under that name; absent: there was none yet. */
  base?: string;
}

export interface RowFile {
  origin: RowOrigin;
  item: Item;
}

/** A row that nobody has uploaded in that time is dumped again. */
const KEPT_MS = 90 * 24 * 3600 * 1000;

/** Given a row and its origin, return its file: pretty, each value with its type on a line of its own. Pure. */
export function formatRowFile({ origin, item }: RowFile): string {
  const head = Object.entries(origin)
    .map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)}`)
    .join(",\n");
  return `{\n  "_lcops": {\n${head}\n  },\n  "Item": ${formatPretty(itemToJson(item), "  ")}\n}\n`;
}

function formatPretty(value: ExactJson, indent: string): string {
  if (value instanceof Map) {
    const [only] = value.values();
    const isShort = value.size === 0 || (value.size === 1 && isPlain(only));
    const members = [...value].map(
      ([name, member]) =>
        `${JSON.stringify(name)}: ${formatPretty(member, isShort ? indent : `${indent}  `)}`,
    );
    return isShort ? `{${members.join("")}}` : wrap("{", members, "}", indent);
  }
  if (Array.isArray(value)) {
    const members = value.map((member) => formatPretty(member, `${indent}  `));
    return value.every(isPlain) && members.join(", ").length < 90
      ? `[${members.join(", ")}]`
      : wrap("[", members, "]", indent);
  }
  return writeExactJson(value);
}

const isPlain = (value: ExactJson | undefined): boolean =>
  !(value instanceof Map) && !(Array.isArray(value) && value.some((member) => !isPlain(member)));

function wrap(open: string, members: readonly string[], close: string, indent: string): string {
  return `${open}\n${members.map((member) => `${indent}  ${member}`).join(",\n")}\n${indent}${close}`;
}

/** Given the text of a row's file, return what it says. Throws `usage` with the line of what is wrong. Pure. */
export function parseRowFile(text: string, path: string): RowFile {
  const refuse = (what: string, cause?: unknown): never => {
    throw new OperatorError("usage", `${path}: ${what}`, {
      next: "correct it, or dump the row again with lcops dyn dump-row",
      cause,
    });
  };
  try {
    const file = parseExactJson(text.replace(/^\ufeff/, ""));
    if (!(file instanceof Map)) return refuse("it is no row");
    const origin = file.get("_lcops");
    if (!(origin instanceof Map)) return refuse("it does not say in _lcops where it came from");
    const read = (name: string): string => {
      const value = origin.get(name);
      return typeof value === "string" ? value : refuse(`_lcops has no ${name}`);
    };
    const optional = (name: string) => (origin.has(name) ? { [name]: read(name) } : {});
    const stranger = [...file.keys()].find((name) => name !== "_lcops" && name !== "Item");
    if (stranger !== undefined) refuse(`${JSON.stringify(stranger)} stands beside Item, not in it`);
    return {
      origin: {
        table: read("table"),
        arn: read("arn"),
        account: read("account"),
        region: read("region"),
        fetchedAt: read("fetchedAt"),
        ...optional("endpoint"),
        ...optional("base"),
      },
      item: readItem(file.get("Item") ?? null),
    };
  } catch (error) {
    if (error instanceof ExactJsonError)
      return refuse(`line ${error.line}: ${error.message}`, error);
    if (error instanceof AttributeError) return refuse(describeError(error), error);
    throw error;
  }
}

const nameBase = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Given the text of a file, return whether it is that of a row as it was dumped, which can be dumped again. Pure. */
export function isUnedited(text: string): boolean {
  try {
    const { origin, item } = parseRowFile(text, "");
    return origin.base === nameBase(writeExactJson(itemToJson(item)));
  } catch {
    return false;
  }
}

const baseFolder = (stateFolder: string): string => join(stateFolder, "rows");

/** Given a row as it is now, keep it for the upload of its edited file, and return the name under which it is kept. */
export async function keepBase(stateFolder: string, item: Item): Promise<string> {
  const folder = baseFolder(stateFolder);
  const text = writeExactJson(itemToJson(item));
  const base = nameBase(text);
  await writeFileAtomically(join(folder, `${base}.json`), text);
  const oldest = Date.now() - KEPT_MS;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (mtimeMs < oldest) await rm(path, { force: true });
  }
  return base;
}

/** Given the name under which a row was kept, return it as it was. Throws `refused` where it is not there, or not what it was. */
export async function recallBase(stateFolder: string, base: string): Promise<Item> {
  const refuse = (why: string): never => {
    throw new OperatorError("refused", `what the row was ${why}, so nobody can tell your edit`, {
      next: "dump the row again and repeat the edit, or overwrite all of it with --replace",
    });
  };
  if (!/^[0-9a-f]{64}$/.test(base)) return refuse("is not said by its file");
  let text: string;
  try {
    text = await readFile(join(baseFolder(stateFolder), `${base}.json`), "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return refuse("is not kept on this machine");
    throw error;
  }
  if (nameBase(text) !== base) return refuse("has been changed");
  return readItem(parseExactJson(text));
}
