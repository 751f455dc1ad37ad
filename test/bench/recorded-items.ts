/** The items of the recorded pages. */

/** What one of them is by DynamoDB's rules, about; 3,000 are the 1 MB of a page. */
export const ITEM_BYTES = 330;
export const ITEMS_BY_PAGE = 3000;

/** Given its number, return an item as the service sends it. */
export function makeItem(index: number): string {
  return JSON.stringify({
    pattern: { S: `school-${index % 97}/lesson-${index}` },
    day: { S: `2014-03-${String(1 + (index % 28)).padStart(2, "0")}` },
    hits: { N: String((index * 7919) % 100_000) },
    source: { N: `90071992547409${93_000 + index}` },
    mean: { N: `0.${String((index * 104_729) % 1e12).padStart(12, "0")}7` },
    levels: { SS: ["beginner", "advanced"] },
    digest: { B: Buffer.from(String(index).padStart(24, "x")).toString("base64") },
    note: { S: `Übung "№ ${index}" with a text of some length, as people write it` },
    counters: {
      M: {
        seen: { N: String(index) },
        solved: { N: "7" },
        byLevel: { L: [{ N: "1" }, { N: "22" }, { N: "333" }] },
      },
    },
  });
}
