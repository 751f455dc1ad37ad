/**
 * JSON without loss: every digit of a number, every name in its place, `__proto__` and `10` among them, and no name twice. lossless-json
 * makes objects, which put the name `10` in front of the others; it takes a name twice with one value, and has no limit of depth.
 */
export type ExactJson =
  | string
  | boolean
  | null
  | ExactNumber
  | ExactJson[]
  | Map<string, ExactJson>;

/** A number as it was written. */
export class ExactNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What is wrong with a text, and where. */
export class ExactJsonError extends Error {
  readonly line: number;

  constructor(message: string, text: string, offset: number) {
    super(message);
    this.line = text.slice(0, offset).split("\n").length;
  }
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const BLANK = /[ \t\r\n]*/y;
/** Deeper than any item: an item is 32 levels deep, each with a tag of its own. */
const DEEPEST = 200;

/** Given JSON text, return what it says. Throws ExactJsonError, with its line, where it is none (RFC 8259), or has a name twice. Pure. */
export function parseExactJson(text: string): ExactJson {
  let at = 0;

  const fail = (message: string, offset = at): never => {
    throw new ExactJsonError(message, text, offset);
  };
  const skip = (): string => {
    BLANK.lastIndex = at;
    BLANK.exec(text);
    at = BLANK.lastIndex;
    return text[at] ?? "";
  };
  const readString = (): string => {
    const begin = at;
    for (at++; text[at] !== '"'; at++) {
      if (at >= text.length) fail("a text is not closed", begin);
      if (text[at] === "\\") at++;
    }
    at++;
    try {
      return JSON.parse(text.slice(begin, at)) as string;
    } catch {
      return fail("a text has a wrong escape, or a control character", begin);
    }
  };
  const readWord = (): ExactJson => {
    for (const [word, value] of [
      ["true", true],
      ["false", false],
      ["null", null],
    ] as const) {
      if (!text.startsWith(word, at)) continue;
      at += word.length;
      return value;
    }
    NUMBER.lastIndex = at;
    const [digits] = NUMBER.exec(text) ?? [];
    if (digits === undefined)
      return fail(at < text.length ? `${text[at]} is not expected here` : "it ends too early");
    at += digits.length;
    return new ExactNumber(digits);
  };
  const readList = (depth: number): ExactJson[] => {
    const list: ExactJson[] = [];
    at++;
    if (skip() === "]") {
      at++;
      return list;
    }
    for (;;) {
      list.push(readValue(depth));
      const mark = skip();
      if (mark !== "," && mark !== "]") fail("a , or ] is missing");
      at++;
      if (mark === "]") return list;
    }
  };
  const readMap = (depth: number): Map<string, ExactJson> => {
    const map = new Map<string, ExactJson>();
    at++;
    if (skip() === "}") {
      at++;
      return map;
    }
    for (;;) {
      if (skip() !== '"') fail("a name in quotes is missing");
      const begin = at;
      const name = readString();
      if (map.has(name)) fail(`the name ${JSON.stringify(name)} is there twice`, begin);
      if (skip() !== ":") fail("a : is missing");
      at++;
      map.set(name, readValue(depth));
      const mark = skip();
      if (mark !== "," && mark !== "}") fail("a , or } is missing");
      at++;
      if (mark === "}") return map;
    }
  };
  const readValue = (depth: number): ExactJson => {
    if (depth > DEEPEST) fail("it is too deep");
    const mark = skip();
    if (mark === '"') return readString();
    if (mark === "[") return readList(depth + 1);
    if (mark === "{") return readMap(depth + 1);
    return readWord();
  };

  const value = readValue(0);
  skip();
  if (at < text.length) fail("something follows behind the end");
  return value;
}

/** Given what such a text says, return it as JSON without blanks. Pure. */
export function writeExactJson(value: ExactJson): string {
  if (value instanceof ExactNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(writeExactJson).join(",")}]`;
  if (value instanceof Map) {
    const members = [...value].map(
      ([name, member]) => `${JSON.stringify(name)}:${writeExactJson(member)}`,
    );
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value);
}
