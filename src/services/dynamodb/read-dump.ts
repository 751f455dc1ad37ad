import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { createReadStream } from "node:fs";
import { compressionOf, decompress } from "../../system/compress.ts";
import { describeError, errorCode, OperatorError } from "../../system/errors.ts";
import { countOf } from "../../system/quantities.ts";
import { AttributeError, type Item, readItem } from "./attribute-value.ts";
import { type DumpManifest, type ItemFormat, readManifest } from "./dump-manifest.ts";
import { ExactJsonError, parseExactJson } from "./exact-json.ts";
import { plainToItem } from "./plain-item.ts";

/** Files that make up one dump: ours, or an export of AWS. */
export interface DumpSource {
  parts: readonly DumpPart[];
  itemFormat: ItemFormat;
  /** Ours, where the file has one beside it. */
  manifest?: DumpManifest;
}

interface DumpPart {
  path: string;
  /** Of the file as it is; `md5` is what an export of AWS says, in base64. */
  checksum?: { kind: "sha256" | "md5"; value: string };
  items?: number;
}

/** An item, and where it stands. */
export interface DumpLine {
  item: Item;
  place: string;
}

/**
 * Given what the operator named, return the files that hold the items: a dump, or an export of AWS, by its folder or one of its
 * manifests. Throws `usage` where a part is not there: nothing is to be loaded then.
 */
export async function findDump(path: string): Promise<DumpSource> {
  const found = await stat(path).catch((error: unknown) => {
    throw new OperatorError("usage", `cannot read ${path}: ${describeError(error)}`, {
      cause: error,
    });
  });
  if (found.isDirectory()) return findExport(join(path, "manifest-files.json"));
  if (/^manifest-(files|summary)\.json$/.test(basename(path)))
    return findExport(join(dirname(path), "manifest-files.json"));
  const manifest = await readManifest(path);
  return {
    itemFormat: manifest?.itemFormat ?? "dynamodb",
    parts: [
      {
        path,
        ...(manifest && {
          checksum: { kind: "sha256", value: manifest.sha256 },
          items: manifest.items,
        }),
      },
    ],
    ...(manifest && { manifest }),
  };
}

/** DynamoDB Developer Guide, "DynamoDB table export output format": one JSON a line, a part each. */
async function findExport(manifestFile: string): Promise<DumpSource> {
  const refuse = (what: string, cause?: unknown): never => {
    throw new OperatorError("usage", `${manifestFile}: ${what}`, {
      next: "fetch the whole export again, its folder data with it",
      cause,
    });
  };
  const text = await readFile(manifestFile, "utf8").catch((error: unknown) =>
    refuse(errorCode(error) === "ENOENT" ? "it is no export of AWS" : describeError(error), error),
  );
  const parts: DumpPart[] = [];
  for (const line of text.split("\n").filter((each) => each.trim() !== "")) {
    let listed: { dataFileS3Key?: string; md5Checksum?: string; itemCount?: number };
    try {
      listed = JSON.parse(line) as typeof listed;
    } catch (error) {
      return refuse("a line of it is no JSON", error);
    }
    const name = basename(listed.dataFileS3Key ?? "");
    const path = join(dirname(manifestFile), "data", name);
    if (name === "" || !(await stat(path).catch(() => undefined)))
      refuse(`its part data/${name} is missing`);
    parts.push({
      path,
      ...(listed.md5Checksum !== undefined && {
        checksum: { kind: "md5", value: listed.md5Checksum },
      }),
      ...(listed.itemCount !== undefined && { items: listed.itemCount }),
    });
  }
  return { parts, itemFormat: "dynamodb" };
}

/** Given a dump, yield its items one after the other. Throws `usage`, with file and line, for the first line that is none. */
export async function* readDump(source: DumpSource, signal: AbortSignal): AsyncIterable<DumpLine> {
  for (const { path, items } of source.parts) {
    let count = 0;
    let number = 0;
    for await (const line of splitLines(decode(path, signal))) {
      number++;
      const text = number === 1 ? line.replace(/^\ufeff/, "") : line;
      if (text.trim() === "") continue;
      const place = `${path}:${number}`;
      count++;
      yield { item: parseLine(text, source.itemFormat, place), place };
    }
    if (items !== undefined && items !== count) {
      throw new OperatorError(
        "usage",
        `${path} has ${countOf(count, "item")}, its manifest says ${items}`,
        {
          next: "it was cut or changed; dump it again",
        },
      );
    }
  }
}

/** Opens the file once somebody reads: the error of a stream that nobody reads ends the process. */
async function* readPart(path: string, signal: AbortSignal): AsyncIterable<Buffer> {
  yield* createReadStream(path, { signal, highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>;
}

/** Decoded as it comes, with what is wrong with the file in our words. */
async function* decode(path: string, signal: AbortSignal): AsyncIterable<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    for await (const chunk of decompress(readPart(path, signal), compressionOf(path), { signal }))
      yield decoder.decode(chunk, { stream: true });
    yield decoder.decode();
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw new OperatorError("usage", `${path} cannot be read: ${describeError(error)}`, {
      next: "it was cut or changed; dump it again",
      cause: error,
    });
  }
}

/** At line feeds alone: readline would also cut at U+2028, which a text may hold as it is. */
async function* splitLines(texts: AsyncIterable<string>): AsyncIterable<string> {
  let rest = "";
  for await (const text of texts) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  yield rest;
}

function parseLine(text: string, format: ItemFormat, place: string): Item {
  try {
    const line = parseExactJson(text);
    if (format === "plain") return plainToItem(line);
    const item = line instanceof Map && line.size === 1 ? line.get("Item") : undefined;
    if (item === undefined)
      throw new AttributeError(
        'a line is {"Item": …}; a plain dump needs its manifest beside it',
        [],
      );
    return readItem(item);
  } catch (error) {
    if (!(error instanceof AttributeError || error instanceof ExactJsonError)) throw error;
    throw new OperatorError("usage", `${place}: ${error.message}`, {
      next: "nothing was written; correct the line, or dump it again",
      cause: error,
    });
  }
}

/** Given a dump, throw `usage` where a file of it is not that of its checksum. */
export async function verifyParts(source: DumpSource, signal: AbortSignal): Promise<void> {
  for (const { path, checksum } of source.parts) {
    if (!checksum) continue;
    const hash = createHash(checksum.kind);
    for await (const chunk of readPart(path, signal)) hash.update(chunk);
    const value = hash.digest(checksum.kind === "md5" ? "base64" : "hex");
    if (value === checksum.value) continue;
    throw new OperatorError("usage", `${path} is not what its manifest says (${checksum.kind})`, {
      next: "it was changed or cut; dump it again, or move the manifest away to load it as it is",
    });
  }
}
