import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";

/** One mistake: its path in the file (`hosts.GraphStats.port`, empty for the whole), its line, and what is wrong. */
export interface Problem {
  path: string;
  line: number;
  message: string;
}

interface ParsedJson {
  value: unknown;
  /** Mistakes of the JSON itself; `value` is not to be used when there are any. */
  problems: Problem[];
  /** Return the problem at a path of `value`, with the line on which it stands. */
  locate(path: readonly PropertyKey[], message: string): Problem;
}

/** Deeper than any configuration, shallower than the stack. */
const DEPTH_LIMIT = 64;

/**
 * Given the text of a JSON file, return its value and a way to find the line of each part.
 * Strict JSON: no comments, no trailing commas; also refused are keys given twice, of which one would silently win,
 * and `__proto__`, which would vanish. A good file is read by JSON.parse alone; the parser that knows lines is for mistakes.
 */
export function parseJson(text: string): ParsedJson {
  const { depth, properties } = measureShape(text);
  if (depth > DEPTH_LIMIT) {
    const message = `it is nested ${depth} deep; at most ${DEPTH_LIMIT} is read`;
    return {
      value: undefined,
      problems: [{ path: "", line: 1, message }],
      locate: (path, other) => ({ path: formatPath(path), line: 1, message: other }),
    };
  }
  const lineAt = makeLineFinder(text);
  const errors: ParseError[] = [];
  let tree: Node | undefined;
  let findNode: ReturnType<typeof makeNodeFinder> | undefined;
  const grow = (): Node | undefined =>
    (tree ??= parseTree(text, errors, { disallowComments: true, allowTrailingComma: false }));
  const locate: ParsedJson["locate"] = (path, message) => {
    const root = grow();
    findNode ??= root && makeNodeFinder(root);
    return { path: formatPath(path), line: findNode ? lineAt(findNode(path).offset) : 1, message };
  };

  const good = readGoodJson(text, properties);
  if (good) return { ...good, problems: [], locate };
  const root = grow();
  const [error] = errors;
  const problems: Problem[] = error
    ? [
        {
          path: "",
          line: lineAt(error.offset),
          message: `it is not JSON: ${describeParseError(error)}`,
        },
      ]
    : root
      ? findBadKeys(root, []).map((found) => ({ ...found, line: lineAt(found.offset) }))
      : [{ path: "", line: 1, message: "the file is empty" }];
  return { value: undefined, problems, locate };
}

/** The value of a text that has as many keys as colons, and so none twice; undefined for one that is to be looked at closely. */
function readGoodJson(text: string, properties: number): { value: unknown } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return countKeys(value) === properties ? { value } : undefined;
}

/** The keys of a value and all within it; NaN, which equals nothing, where one is `__proto__`. */
function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  if (Array.isArray(value)) return value.reduce<number>((sum, part) => sum + countKeys(part), 0);
  return Object.entries(value).reduce(
    (sum, [, part]) => sum + 1 + countKeys(part),
    Object.hasOwn(value, "__proto__") ? Number.NaN : 0,
  );
}

/** The line of an offset, from 1; the beginnings of the lines are looked for once, when first asked. */
function makeLineFinder(text: string): (offset: number) => number {
  let starts: number[] | undefined;
  return (offset) => {
    starts ??= [0, ...[...text.matchAll(/\n/g)].map((found) => found.index + 1)];
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}

/** Brackets and colons outside of strings; the parsers recurse, so this is looked at first. */
function measureShape(text: string): { depth: number; properties: number } {
  let open = 0;
  let depth = 0;
  let properties = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (inString) {
      if (character === "\\") index++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") depth = Math.max(depth, ++open);
    else if (character === "}" || character === "]") open--;
    else if (character === ":") properties++;
  }
  return { depth, properties };
}

/** PropertyExpected → "property expected". */
function describeParseError(error: ParseError): string {
  return printParseErrorCode(error.error)
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase();
}

function findBadKeys(node: Node, path: readonly PropertyKey[]): (Problem & { offset: number })[] {
  if (node.type === "array") {
    return (node.children ?? []).flatMap((child, index) => findBadKeys(child, [...path, index]));
  }
  if (node.type !== "object") return [];
  const seen = new Set<string>();
  return (node.children ?? []).flatMap((property) => {
    const [keyNode, valueNode] = property.children ?? [];
    const key = String(keyNode?.value);
    const here = [...path, key];
    const found = { path: formatPath(here), line: 0, offset: property.offset };
    if (key === "__proto__") return [{ ...found, message: "this key is not allowed" }];
    if (seen.has(key)) return [{ ...found, message: "this key is given twice" }];
    seen.add(key);
    return valueNode ? findBadKeys(valueNode, here) : [];
  });
}

/** Return what finds the node at a path, or the nearest one above it where the path names what is missing. */
function makeNodeFinder(tree: Node): (path: readonly PropertyKey[]) => Node {
  // Each object is indexed once: a file can have thousands of mistakes.
  const indexes = new Map<Node, Map<string, Node>>();
  const index = (node: Node): Map<string, Node> => {
    const known = indexes.get(node);
    if (known) return known;
    const made = new Map(
      (node.children ?? []).map((child) => [String(child.children?.[0]?.value), child]),
    );
    indexes.set(node, made);
    return made;
  };
  return (path) => {
    let found = tree;
    let value: Node | undefined = tree;
    for (const part of path) {
      // The line of a key is that of its property, not of a value that may begin further down.
      const next: Node | undefined =
        typeof part === "number"
          ? value?.children?.[part]
          : value && index(value).get(String(part));
      if (!next) break;
      found = next;
      value = next.type === "property" ? next.children?.[1] : next;
    }
    return found;
  };
}

/** ['menu', 0, 'title'] → menu[0].title; parts that are no plain words are quoted, control characters escaped. */
function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => {
      if (typeof part === "number") return `[${part}]`;
      const word = String(part);
      if (!/^[A-Za-z0-9_$-]+$/.test(word)) return `[${JSON.stringify(word)}]`;
      return index === 0 ? word : `.${word}`;
    })
    .join("");
}
