/** Commands of the contract that later versions bring; each leaves this list with the issue that builds it. */
const PLANNED = ["machine launch"];

/** Given the words of a command line, return what to say where its command is not built yet; undefined where it is. Pure. */
export function describePlanned(words: readonly string[]): string | undefined {
  const line = `${words.join(" ")} `;
  const isNamed = (name: string): boolean => line.startsWith(`${name} `);
  const found = PLANNED.find(isNamed);
  return found === undefined
    ? undefined
    : `lcops ${found} comes with a later version; this one cannot do it yet`;
}
