/** Given bytes or text, return them as an iteration of one piece, for what takes streams. */
// oxlint-disable-next-line typescript/require-await -- there is nothing to wait for
export async function* onePiece(content: string | Uint8Array): AsyncIterable<Buffer> {
  yield Buffer.from(content);
}
