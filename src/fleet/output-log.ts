import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { Writable } from "node:stream";

/** What a host has said on one of its outputs. */
export interface LoggedOutput {
  path: string;
  bytes: number;
  /** Of all of it: equal output has an equal hash. */
  hash: string;
}

export interface OutputLog {
  sink: Writable;
  /** Have it on the disk, and tell what it has. */
  close(): Promise<LoggedOutput>;
}

/**
 * Given a path where nothing is yet, return a log (0600) that takes an output as it comes: none of it stays in memory, and a slow disk
 * holds the writer up. The sink's errors are those of the disk.
 */
export async function openOutputLog(path: string): Promise<OutputLog> {
  const file = await open(path, "wx", 0o600);
  const hash = createHash("sha256");
  let bytes = 0;
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk);
      bytes += chunk.length;
      file.writeFile(chunk).then(
        () => done(),
        (error: Error) => done(error),
      );
    },
  });
  // Whoever pumps into it hears of an error as well; without them it would end the process.
  sink.on("error", () => {});
  return {
    sink,
    close: async () => {
      try {
        if (!sink.destroyed) await new Promise<void>((resolve) => sink.end(() => resolve()));
      } finally {
        await file.close();
      }
      return { path, bytes, hash: hash.digest("hex") };
    },
  };
}
