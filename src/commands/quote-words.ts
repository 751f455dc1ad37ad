/** Given the words of a command line, return it as one could type it into a POSIX shell: words that need quotes have them. Pure. */
export function quoteWords(words: readonly string[]): string {
  return words.map(quoteWord).join(" ");
}

function quoteWord(word: string): string {
  return /^[A-Za-z0-9_./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Given the words behind ` -- `, return the command line for the remote user's shell: one word is shell text, several are passed on as they are. Pure. */
export function remoteCommand(words: readonly string[]): string {
  const [only] = words;
  return words.length === 1 && only !== undefined ? only : quoteWords(words);
}
