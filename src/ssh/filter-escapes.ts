const tilde = 0x7e;
const dot = 0x2e;

/**
 * Given what ends the session, return a filter for what is typed: at the start of a line `~.` calls it, `~~` sends one
 * tilde, and anything else is sent as typed (ssh(1), ESCAPE CHARACTERS). A tilde is held back until the next byte tells.
 */
export function filterEscapes(leave: () => void): (typed: Buffer) => Buffer {
  let atLineStart = true;
  let held = false;
  return (typed) => {
    const sent: number[] = [];
    for (const byte of typed) {
      if (held) {
        held = false;
        if (byte === dot) {
          leave();
          return Buffer.from(sent);
        }
        sent.push(tilde);
        atLineStart = false;
        if (byte === tilde) continue;
      } else if (byte === tilde && atLineStart) {
        held = true;
        continue;
      }
      sent.push(byte);
      atLineStart = byte === 0x0a || byte === 0x0d;
    }
    return Buffer.from(sent);
  };
}
