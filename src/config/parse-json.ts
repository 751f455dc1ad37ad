import {
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";

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
 * and `__proto__`, which would vanish.
 */
export function parseJson(text: string): ParsedJson {
  const lineAt = makeLineFinder(text);
  const depth = findDepth(text);
  if (depth > DEPTH_LIMIT) {
    return {
      value: undefined,
      problems: [
        {
          path: "",
          line: 1,
          message: `it is nested ${depth} deep; at most ${DEPTH_LIMIT} is read`,
        },
      ],
      locate: (path, message) => ({ path: formatPath(path), line: 1, message }),
    };
  }
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const problems: Problem[] = errors.slice(0, 1).map((error) => ({
    path: "",
    line: lineAt(error.offset),
    message: `it is not JSON: ${describeParseError(error)}`,
  }));
  if (!tree && problems.length === 0)
    problems.push({ path: "", line: 1, message: "the file is empty" });
  if (tree && problems.length === 0) {
    for (const found of findBadKeys(tree, []))
      problems.push({ ...found, line: lineAt(found.offset) });
  }
  const findNode = tree && makeNodeFinder(tree);
  return {
    value: tree && problems.length === 0 ? getNodeValue(tree) : undefined,
    problems,
    locate: (path, message) => ({
      path: formatPath(path),
      line: findNode ? lineAt(findNode(path).offset) : 1,
      message,
    }),
  };
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

/** Brackets outside of strings; the parser recurses, so this is looked at first. */
function findDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (inString) {
      if (character === "\\") index++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") deepest = Math.max(deepest, ++depth);
    else if (character === "}" || character === "]") depth--;
  }
  return deepest;
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
