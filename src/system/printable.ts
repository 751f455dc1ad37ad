/**
 * Given text that came from outside (a server, a file), return it on one line with everything that could steer a
 * terminal or reorder the text (C0 and C1 controls, line separators, bidirectional marks) as a visible escape: `\x1b`,
 * `\u202e`; a line end becomes `\n`.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, (character) => {
    if (character === "\n") return "\\n";
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
  });
}
