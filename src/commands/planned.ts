/** Commands of the contract that later versions bring; each leaves this list with the issue that builds it. */
const PLANNED = ["backup run s3", "machine", "statusMachine", "fleet", "uu", "menu m", "health"];

/** Given the words of a command line, return what to say where its command is not built yet; undefined where it is. Pure. */
export function describePlanned(words: readonly string[]): string | undefined {
  const line = `${words.join(" ")} `;
  const found = PLANNED.find((name) => line.startsWith(`${name} `));
  return found === undefined
    ? undefined
    : `lcops ${found} comes with a later version; this one cannot do it yet`;
}
