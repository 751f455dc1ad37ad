import stringWidth from "fast-string-width";
import { printable } from "../system/printable.ts";
import type { Terminal } from "./terminal.ts";

export interface Column<Row> {
  title: string;
  /** The cell's text, not yet printable. */
  value: (row: Row) => string;
  /** Paints the cell once it has been cut and padded. */
  paint?: (text: string, row: Row) => string;
}

const GAP = "  ";
/** A column is not squeezed below this many cells while another is wider; below that, all are. */
const NARROWEST = 6;

/**
 * Given rows and columns, print them: on a screen with a head, aligned, cells cut so that each row fits the width;
 * in a pipe tab-separated and whole, without a head.
 */
export function printTable<Row>(
  terminal: Terminal,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
): void {
  if (!terminal.isScreen) {
    for (const row of rows)
      terminal.print(columns.map((column) => printable(column.value(row))).join("\t"));
    return;
  }
  const { columns: width, out } = terminal;
  for (const line of layOutTable(rows, columns, { width, paintHead: out.dim }))
    terminal.print(line);
}

/** Given rows and columns, return the lines of the table as a screen of that width shows it, its head first. Pure. */
export function layOutTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { width: available, paintHead }: { width: number; paintHead: (text: string) => string },
): string[] {
  const cells = rows.map((row) => columns.map((column) => printable(column.value(row))));
  const widths = fitWidths(
    columns.map((column, index) =>
      cells.reduce(
        (widest, line) => Math.max(widest, stringWidth(line[index] ?? "")),
        stringWidth(column.title),
      ),
    ),
    available,
  );
  // On a very narrow screen the columns on the right are left out.
  const shown = countFitting(widths, available);
  const layOut = (
    texts: readonly string[],
    paint: (text: string, index: number) => string,
  ): string =>
    texts
      .map((text, index) => {
        const width = widths[index] ?? 0;
        const cut = cutToWidth(text, width);
        const padding = index === texts.length - 1 ? "" : " ".repeat(width - stringWidth(cut));
        return paint(cut, index) + padding;
      })
      .slice(0, shown)
      .join(GAP)
      .trimEnd();
  return [
    layOut(
      columns.map((column) => column.title),
      (text) => paintHead(text),
    ),
    ...rows.map((row, line) =>
      layOut(cells[line] ?? [], (text, index) => columns[index]?.paint?.(text, row) ?? text),
    ),
  ];
}

/** How many columns fit, from the left; one at least. */
function countFitting(widths: readonly number[], available: number): number {
  let [count, total] = [0, -GAP.length];
  for (const width of widths) {
    total += GAP.length + width;
    if (total > available) break;
    count++;
  }
  return Math.max(1, count);
}

/** Take from the widest column until all fit, or until all are as narrow as may be. */
function fitWidths(wanted: readonly number[], available: number): number[] {
  const widths = [...wanted];
  const total = (): number =>
    widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
  while (total() > available) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= NARROWEST) break;
    widths[widest] = Math.max(NARROWEST, (widths[widest] ?? 0) - (total() - available > 8 ? 4 : 1));
  }
  return widths;
}

/** Given text without control characters, return its beginning that fits `width` cells, its cut marked by an ellipsis. */
export function cutToWidth(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let cut = "";
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (stringWidth(cut + segment) > width - 1) break;
    cut += segment;
  }
  return `${cut}…`;
}
