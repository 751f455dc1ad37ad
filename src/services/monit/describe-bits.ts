/** What the bits of a status stand for, the lowest first: Monit's event.h, Event_Type. */
const BITS = [
  "checksum",
  "resource limit",
  "timeout",
  "timestamp",
  "size",
  "connection",
  "permission",
  "UID",
  "GID",
  "does not exist",
  "invalid type",
  "data access",
  "execution",
  "filesystem flags",
  "ICMP",
  "content",
  "instance",
  "action",
  "PID",
  "PPID",
  "heartbeat",
  "program status",
  "uptime",
  "link",
  "speed",
  "saturation",
  "bytes received",
  "bytes sent",
  "packets received",
  "packets sent",
  "exists",
];

/** Given the bit map of the tests that fail, return it in words; bits that are not known here as their numbers. Pure. */
export function describeBits(status: number): string {
  const found: string[] = [];
  for (let bit = 0, rest = status; rest >= 1; bit++, rest = Math.floor(rest / 2))
    if (Math.floor(rest) % 2 === 1) found.push(BITS[bit] ?? `test 0x${(2 ** bit).toString(16)}`);
  return found.join(", ");
}
