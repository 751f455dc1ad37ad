/** Files that GNU tar names, byte for byte. */
export interface TarWords {
  changed: Set<string>;
  unreadable: Set<string>;
  gone: Set<string>;
}

/** Given what GNU tar said, return the files that it names. Its words: GNU tar's misc.c and create.c, in the C locale. Pure. */
export function parseTarWords(said: string): TarWords {
  const words: TarWords = { changed: new Set(), unreadable: new Set(), gone: new Set() };
  for (const line of said.split("\n")) {
    const [, name, what = ""] =
      /^[^:]*tar: (.*?): (?:Warning: )?(file changed as we read it|file removed before we read it|file shrank by .*|read error at .*|cannot (?:open|read|stat): .*)$/i.exec(
        line,
      ) ?? [];
    if (name === undefined) continue;
    const path = unescapeName(name);
    if (/removed|No such file or directory$/.test(what)) words.gone.add(path);
    else (/^cannot/i.test(what) ? words.unreadable : words.changed).add(path);
  }
  return words;
}

/** Of `--quoting-style=escape`: what C would escape, bytes in octal. */
function unescapeName(name: string): string {
  const letters: Record<string, string> = {
    n: "\n",
    t: "\t",
    r: "\r",
    b: "\b",
    f: "\f",
    v: "\v",
    a: "\u0007",
  };
  return name
    .replace(/^\.\//, "")
    .replace(/\\([0-7]{3}|.)/g, (_, code: string) =>
      code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : (letters[code] ?? code),
    );
}
