import type { MarkdownPage } from "./read-markdown.ts";

/** Returns the rows of the page's table whose head begins with these words. Throws where there is none. */
export function readTable({ tables }: MarkdownPage, ...head: string[]): string[][] {
  const table = tables.find(([first = []]) => head.every((word, index) => first[index] === word));
  if (!table) throw new Error(`no table has the head ${head.join(", ")}`);
  return table.slice(1);
}
