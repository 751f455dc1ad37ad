const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  b: "\b",
  a: "\u0007",
};

/**
 * Given a line of a console, return its words as redis-cli reads them: apart at blanks; in double quotes with `\n`, `\xff` and the like, in single
 * quotes as they are but for `\'`. Undefined where its quotes do not match. Pure.
 */
export function splitLine(line: string): Buffer[] | undefined {
  const words: Buffer[] = [];
  let rest = line.trimStart();
  while (rest !== "") {
    const quoted = /^"((?:[^"\\]|\\.)*)"(?=\s|$)/s.exec(rest);
    const plain = /^'((?:[^'\\]|\\.)*)'(?=\s|$)/s.exec(rest);
    const bare = /^[^\s"']+(?=\s|$)/.exec(rest);
    const found = quoted ?? plain ?? bare;
    if (!found) return undefined;
    if (quoted) words.push(unescape(quoted[1] ?? ""));
    else if (plain) words.push(Buffer.from((plain[1] ?? "").replaceAll("\\'", "'")));
    else words.push(Buffer.from(found[0]));
    rest = rest.slice(found[0].length).trimStart();
  }
  return words;
}

function unescape(text: string): Buffer {
  const pieces = text.split(/(\\x[0-9a-fA-F]{2}|\\.)/s).map((piece) => {
    const byte = /^\\x(..)$/.exec(piece)?.[1];
    if (byte !== undefined) return Buffer.from(byte, "hex");
    const escaped = /^\\(.)$/s.exec(piece)?.[1];
    return Buffer.from(escaped === undefined ? piece : (ESCAPES[escaped] ?? escaped));
  });
  return Buffer.concat(pieces);
}
