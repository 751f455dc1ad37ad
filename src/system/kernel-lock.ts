import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { createServer } from "node:net";
import { errorCode } from "./errors.ts";

/**
 * Given the absolute path that stands for something of which there may be one, take the lock of that name and return how to
 * give it back; undefined where another process holds it. The kernel gives it back when the process ends, however it ends.
 */
export async function takeKernelLock(path: string): Promise<(() => Promise<void>) | undefined> {
  return process.platform === "linux" ? lockName(path) : lockFile(path);
}

/** unix(7): a name in the abstract namespace is bound by one socket at a time, and leaves no file behind. */
function lockName(path: string): Promise<(() => Promise<void>) | undefined> {
  // The name has 107 bytes at most.
  const hash = createHash("sha256").update(path).digest("hex").slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      if (errorCode(error) === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen(`\0lcops-${process.getuid?.() ?? 0}-${hash}`, () => {
      // Holding it keeps nobody running.
      server.unref();
      resolve(() => new Promise((done) => server.close(() => done())));
    });
  });
}

/** open(2) of macOS and the BSDs: O_EXLOCK, with O_NONBLOCK. */
const EXCLUSIVE_LOCK = 0x0020 | 0x0004 | 0x0002 | 0x0200;

async function lockFile(path: string): Promise<(() => Promise<void>) | undefined> {
  try {
    const file = await open(path, EXCLUSIVE_LOCK, 0o600);
    return () => file.close();
  } catch (error) {
    if (errorCode(error) === "EAGAIN" || errorCode(error) === "EWOULDBLOCK") return undefined;
    throw error;
  }
}
