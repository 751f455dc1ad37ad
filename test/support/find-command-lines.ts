/** The command lines of lcops in a line of shell. */

const OPERATORS = /^(?:\|\||&&|;;|\|&|[|&;()]|<\(|>\()/;
const REDIRECTION = /^\d*(?:>>|>&|<<<|<>|>|<)/;
const PROGRAM = /^(?:lcops(?:@\S+)?|.*\bbin\/lcops(?:\.js)?)$/;
/** Behind these the word names the package: `npm install lcops`. */
const PACKAGE_MANAGERS = new Set(["npm", "pnpm", "yarn"]);

/**
 * Returns the words behind each `lcops` of a line of shell: of every command of a pipe or a list, inside `$(…)`, `<(…)`
 * and quoted shell text, behind `npx`, and behind ` -- `. Throws where the line cannot be read.
 */
export function findCommandLines(line: string): string[][] {
  const found: string[][] = [];
  for (const words of splitCommands(line, found)) {
    if (PACKAGE_MANAGERS.has(words[0] ?? "") && words[1] !== "exec") continue;
    // `sh -c 'lcops health | wc -l'`: the word is shell text of its own.
    for (const word of words)
      if (/(^|\s)lcops\s/.test(word) && word !== line) found.push(...findCommandLines(word));
    for (const [index, word] of words.entries())
      if (PROGRAM.test(word)) found.push(words.slice(index + 1));
  }
  return found;
}

/** Returns the words of each simple command, without comments and redirections; commands inside a word go to `found`. */
function splitCommands(line: string, found: string[][]): string[][] {
  const commands: string[][] = [[]];
  let rest = line.trim();
  let skipsWord = false;
  while (rest !== "") {
    const operator = OPERATORS.exec(rest)?.[0];
    const redirection = operator ? undefined : REDIRECTION.exec(rest)?.[0];
    if (rest.startsWith("#")) break;
    if (operator !== undefined) commands.push([]);
    else if (redirection === undefined) {
      const { word, length } = readWord(rest, found);
      if (!skipsWord) commands.at(-1)?.push(word);
      skipsWord = false;
      rest = rest.slice(length).trimStart();
      continue;
    } else skipsWord = true;
    rest = rest.slice((operator ?? redirection ?? "").length).trimStart();
  }
  return commands.filter((words) => words.length > 0);
}

function readWord(text: string, found: string[][]): { word: string; length: number } {
  let word = "";
  let at = 0;
  while (at < text.length && !/[\s|&;()<>]/.test(text[at] ?? "")) {
    const piece = readPiece(text.slice(at), found);
    word += piece.word;
    at += piece.length;
  }
  return { word, length: at };
}

function readPiece(text: string, found: string[][]): { word: string; length: number } {
  if (text.startsWith("$(")) {
    const end = findEnd(text, 2, ")");
    found.push(...findCommandLines(text.slice(2, end)));
    return { word: text.slice(0, end + 1), length: end + 1 };
  }
  if (text.startsWith("${")) {
    const end = findEnd(text, 2, "}");
    return { word: text.slice(0, end + 1), length: end + 1 };
  }
  if (text.startsWith("\\")) return { word: text.slice(1, 2), length: 2 };
  if (text.startsWith("'")) {
    const end = findEnd(text, 1, "'");
    return { word: text.slice(1, end), length: end + 1 };
  }
  if (text.startsWith('"')) {
    const end = findEnd(text, 1, '"');
    const inner = text.slice(1, end);
    for (const [, nested = ""] of inner.matchAll(/\$\(([^)]*)\)/g))
      found.push(...findCommandLines(nested));
    return { word: inner, length: end + 1 };
  }
  return { word: text.slice(0, 1), length: 1 };
}

/** Returns where the closing mark is; nested ones of the same kind are no part of the documents. */
function findEnd(text: string, from: number, mark: string): number {
  const end = text.indexOf(mark, from);
  if (end < 0) throw new Error(`${text.slice(0, from)} is not closed in: ${text}`);
  return end;
}
