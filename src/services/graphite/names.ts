/** Names of files are bytes; here each character is one byte of a name, so that none of them is lost. */

/** Given a name byte for byte, return it as text. Pure. */
export function textOf(name: string): string {
  return Buffer.from(name, "latin1").toString("utf8");
}

/** Given text, return it as a name byte for byte. Pure. */
export function nameOf(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/** Given what a program writes, return the names in it, each of which a zero byte ends. */
export async function readNames(output: AsyncIterable<Buffer>): Promise<string[]> {
  const names: string[] = [];
  let rest = "";
  for await (const chunk of output) {
    const pieces = (rest + chunk.toString("latin1")).split("\0");
    rest = pieces.pop() ?? "";
    for (const piece of pieces) names.push(piece);
  }
  return names;
}

/** Given names, return them for a program to read, a zero byte behind each. */
// oxlint-disable-next-line typescript/require-await -- an iteration of what is there
export async function* writeNames(names: readonly string[]): AsyncIterable<Buffer> {
  const AT_ONCE = 1000;
  for (let at = 0; at < names.length; at += AT_ONCE)
    yield Buffer.from(`${names.slice(at, at + AT_ONCE).join("\0")}\0`, "latin1");
}
