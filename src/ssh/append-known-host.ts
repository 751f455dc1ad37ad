import { mkdir, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { keyType } from "./key-blob.ts";

/**
 * Given a known_hosts file, the name under which a key is kept, the key in wire format and what to remark behind it, add the
 * line. The file is created with mode 0600 and its folder with 0700 where missing; an unfinished last line is ended first.
 * Resolves when the line is on the disk. Throws system errors.
 */
export async function appendKnownHost(
  file: string,
  name: string,
  key: Buffer,
  comment?: string,
): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const line = formatKnownHost(name, key, comment);
  // Who renews the file at the same moment must not take the line with the old one.
  while (!(await appendLine(file, line)));
}

/** Given what `appendKnownHost` is given, return the line, without its end. */
export function formatKnownHost(name: string, key: Buffer, comment?: string): string {
  const fields = [name, keyType(key), key.toString("base64")];
  return [...fields, ...(comment === undefined ? [] : [comment])].join(" ");
}

/** Returns false when the file is another one by then. */
async function appendLine(file: string, line: string): Promise<boolean> {
  const handle = await open(file, "a+", 0o600);
  try {
    const { size, ino } = await handle.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await handle.read(last, 0, 1, size - 1);
    const unfinished = size > 0 && last[0] !== 0x0a;
    // One write, so that two programs that append at once do not mix their lines.
    await handle.write(`${unfinished ? "\n" : ""}${line}\n`);
    await handle.sync();
    return (await stat(file)).ino === ino;
  } finally {
    await handle.close();
  }
}
