import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { keyType } from "./key-blob.ts";

/**
 * Given a known_hosts file, the name under which a key is kept and the key in wire format, add the line. The file is
 * created with mode 0600 and its folder with 0700 where missing; an unfinished last line is ended first. Throws system errors.
 */
export async function appendKnownHost(file: string, name: string, key: Buffer): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const handle = await open(file, "a+", 0o600);
  try {
    const { size } = await handle.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await handle.read(last, 0, 1, size - 1);
    const unfinished = size > 0 && last[0] !== 0x0a;
    // One write, so that two programs that append at once do not mix their lines.
    await handle.write(
      `${unfinished ? "\n" : ""}${name} ${keyType(key)} ${key.toString("base64")}\n`,
    );
  } finally {
    await handle.close();
  }
}
