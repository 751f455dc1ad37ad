/** Markdown, as much of it as the documents use. */

/** One line of a code block. */
interface CodeLine {
  /** Counted from 1. */
  line: number;
  text: string;
  /** The word behind the fence; empty for an indented block. */
  language: string;
}

/** A link or a code span, and the line on which it begins. */
interface Span {
  line: number;
  text: string;
}

export interface MarkdownPage {
  code: CodeLine[];
  /** Code between single backticks. */
  spans: Span[];
  /** Targets of links and pictures, as they are written. */
  links: Span[];
  /** Anchors of the headings, as GitHub makes them. */
  anchors: Set<string>;
  /** Cells of the rows of each table, the head first, without the padding. */
  tables: string[][][];
}

const FENCE = /^\s*(`{3,}|~{3,})\s*([^\s`]*)/;
const HEADING = /^ {0,3}#{1,6}\s+(.*?)\s*#*$/;

/** Returns what a page in Markdown has of code, links, headings and tables. Throws where a fence is not closed. */
export function readMarkdown(text: string): MarkdownPage {
  // A quotation has links and code as any other text.
  const lines = text.split("\n").map((line) => line.replace(/^ {0,3}> ?/, ""));
  const { code, prose } = separateCode(lines);
  const spans: Span[] = [];
  const links: Span[] = [];
  // A span may go over the end of a line; a paragraph ends it.
  for (const paragraph of joinParagraphs(prose)) {
    const at = (index: number): number =>
      paragraph.line + paragraph.text.slice(0, index).split("\n").length - 1;
    const plain = paragraph.text.replace(/(`+)([^`][\s\S]*?)\1/g, (whole, _ticks, inner, index) => {
      spans.push({ line: at(index), text: String(inner).replace(/\s+/g, " ").trim() });
      // The rest keeps its place.
      return whole.replace(/[^\n]/g, " ");
    });
    const targets =
      /\]\(\s*<?([^)\s>]+)>?[^)]*\)|^ {0,3}\[[^\]]+\]:\s*(\S+)|\b(?:href|src)=["']([^"']+)["']/gm;
    for (const found of plain.matchAll(targets))
      links.push({ line: at(found.index), text: found[1] ?? found[2] ?? found[3] ?? "" });
  }
  return { code, spans, links, anchors: nameAnchors(prose), tables: readTables(prose) };
}

interface Sorted {
  code: CodeLine[];
  /** The other lines; those of code are empty. */
  prose: string[];
}

function separateCode(lines: readonly string[]): Sorted {
  const code: CodeLine[] = [];
  let fence: { mark: string; language: string; line: number } | undefined;
  let isAfterBlank = true;
  let isIndented = false;
  const prose = lines.map((text, index) => {
    const line = index + 1;
    const opened = FENCE.exec(text);
    if (fence) {
      if (text.trim().startsWith(fence.mark) && /^[`~]+$/.test(text.trim())) fence = undefined;
      else code.push({ line, text, language: fence.language });
      isAfterBlank = true;
      return "";
    }
    if (opened?.[1] !== undefined) {
      fence = { mark: opened[1], language: opened[2] ?? "", line };
      return "";
    }
    isIndented = /^( {4}|\t)\s*\S/.test(text) && (isAfterBlank || isIndented);
    isAfterBlank = text.trim() === "" || HEADING.test(text);
    if (!isIndented) return text;
    code.push({ line, text, language: "" });
    return "";
  });
  if (fence) throw new Error(`the fence of line ${fence.line} is not closed`);
  return { code, prose };
}

function joinParagraphs(prose: readonly string[]): Span[] {
  const paragraphs: Span[] = [];
  let open: Span | undefined;
  for (const [index, text] of prose.entries()) {
    if (text.trim() === "") open = undefined;
    else if (open) open.text += `\n${text}`;
    else paragraphs.push((open = { line: index + 1, text }));
  }
  return paragraphs;
}

/** As GitHub does: small letters, no punctuation, a hyphen for each space, a number for one that is there already. */
function nameAnchors(prose: readonly string[]): Set<string> {
  const anchors = new Set<string>();
  for (const text of prose) {
    const heading = HEADING.exec(text)?.[1];
    if (heading === undefined) continue;
    const plain = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-");
    let anchor = plain;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${plain}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

function readTables(prose: readonly string[]): string[][][] {
  const tables: string[][][] = [];
  let isInside = false;
  for (const text of prose) {
    const isRow = /^\s*\|.*\|\s*$/.test(text);
    if (isRow && !isInside) tables.push([]);
    if (isRow && !/^[\s|:-]+$/.test(text)) tables.at(-1)?.push(readCells(text));
    isInside = isRow;
  }
  return tables;
}

function readCells(row: string): string[] {
  return row
    .trim()
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));
}
