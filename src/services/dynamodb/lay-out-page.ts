import { readItem } from "./attribute-value.ts";
import type { ItemFormat } from "./dump-manifest.ts";
import { parseExactJson, writeExactJson } from "./exact-json.ts";
import { itemToPlain } from "./plain-item.ts";
import { listItems, type Page } from "./split-page.ts";

/** Given a page, return how many bytes its items have, as they came. Pure. */
export function countItemBytes({ bounds }: Page): number {
  let bytes = 0;
  for (let index = 0; index < bounds.length; index += 2)
    bytes += (bounds[index + 1] ?? 0) - (bounds[index] ?? 0);
  return bytes;
}

const [BEFORE, BEHIND] = [Buffer.from('{"Item":'), Buffer.from("}\n")];

/** Given a page, return how many bytes its lines have, and what writes them, a line for each item. Pure. */
export function layOutPage(
  page: Page,
  format: ItemFormat,
): { bytes: number; fill: (target: Buffer, at: number) => void } {
  if (format === "plain") {
    const lines = listItems(page).map((text) => {
      const item = readItem(parseExactJson(text));
      return `${writeExactJson(itemToPlain(item))}\n`;
    });
    const bytes = Buffer.from(lines.join(""));
    return { bytes: bytes.length, fill: (target, at) => void bytes.copy(target, at) };
  }
  const { body, bounds } = page;
  const around = BEFORE.length + BEHIND.length;
  return {
    bytes: countItemBytes(page) + (bounds.length / 2) * around,
    fill: (target, begin) => {
      let at = begin;
      for (let index = 0; index < bounds.length; index += 2) {
        at += BEFORE.copy(target, at);
        at += body.copy(target, at, bounds[index], bounds[index + 1]);
        at += BEHIND.copy(target, at);
      }
    },
  };
}
