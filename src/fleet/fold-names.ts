/**
 * Given names, return them as one short text, those that differ in a number alone as ranges, in their order of first appearance:
 * `api-[1-3,7], db`. Numbers with leading zeros are folded with those of their length. Pure.
 */
export function foldNames(names: readonly string[]): string {
  const groups = new Map<string, { before: string; after: string; numbers: string[] }>();
  for (const name of names) {
    // The last number: it counts the machines, those before it say what they are.
    const [, before = name, number = "", after = ""] = /^(.*?)(\d+)(\D*)$/.exec(name) ?? [];
    const isPadded = number.length > 1 && number.startsWith("0");
    const key = JSON.stringify([before, after, number === "" || !isPadded ? 0 : number.length]);
    const group = groups.get(key) ?? { before, after, numbers: [] };
    group.numbers.push(number);
    groups.set(key, group);
  }
  return [...groups.values()].map(foldGroup).join(", ");
}

function foldGroup({
  before,
  after,
  numbers,
}: {
  before: string;
  after: string;
  numbers: readonly string[];
}): string {
  const [only = ""] = numbers;
  if (new Set(numbers).size === 1) return numbers.map(() => `${before}${only}${after}`).join(", ");
  const sorted = [...new Set(numbers)].toSorted((left, right) => Number(left) - Number(right));
  const ranges: [first: string, last: string][] = [];
  for (const number of sorted) {
    const open = ranges.at(-1);
    if (open && Number(number) === Number(open[1]) + 1) open[1] = number;
    else ranges.push([number, number]);
  }
  const shown = ranges.map(([first, last]) => (first === last ? first : `${first}-${last}`));
  return `${before}[${shown.join(",")}]${after}`;
}
