import { readString } from "./key-blob.ts";

const lists = [
  "key exchange",
  "host key",
  "cipher",
  "cipher from the server",
  "MAC",
  "MAC from the server",
] as const;

/**
 * Given the first bytes that a server sent, return a line for each list of algorithms that it offers
 * (`cipher: aes128-cbc,3des-cbc`), or nothing where its proposal is not among them. Format: RFC 4253, 4.2, 6 and 7.1.
 */
export function readServerAlgorithms(received: Buffer): string[] {
  const greeting = received.indexOf("SSH-");
  const packet = greeting < 0 ? 0 : received.indexOf("\n", greeting) + 1;
  const proposal = packet + 5;
  if (packet === 0 || received[proposal] !== 20) return [];
  const lines: string[] = [];
  // Behind the message number stand 16 random bytes.
  let offset = proposal + 17;
  for (const list of lists) {
    const names = readString(received, offset);
    if (!names) break;
    lines.push(`the server's ${list}: ${names.value.toString("latin1")}`);
    offset = names.next;
  }
  return lines;
}
