import { OperatorError } from "../../system/errors.ts";
import type { Machine } from "./machine.ts";

/** A whisper file where it stands. */
export interface FoundFile {
  /** Relative to the folder, byte for byte: each character is one byte of its name. */
  path: string;
  bytes: number;
}

/** Given a machine and a folder, return the whisper files below it in the order of their names. Throws `failed` where they cannot be listed, all of them. */
export async function listFiles(machine: Machine, folder: string): Promise<FoundFile[]> {
  const files: FoundFile[] = [];
  let rest = "";
  // What a restore has begun to put there is none of them.
  const words = ["find", "-H", folder, "-name", ".lcops-*", "-prune"];
  words.push("-o", "-type", "f", "-name", "*.wsp", "-printf", "%s %P\\0");
  try {
    for await (const chunk of machine.run(words)) {
      const lines = (rest + chunk.toString("latin1")).split("\0");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const at = line.indexOf(" ");
        files.push({ bytes: Number(line.slice(0, at)), path: line.slice(at + 1) });
      }
    }
  } catch (error) {
    if (error instanceof OperatorError && error.kind === "failed")
      throw new OperatorError("failed", `the whisper files cannot be listed: ${error.message}`, {
        next: "set graphite.folder of the backup job, or have its user read that folder",
        cause: error,
      });
    throw error;
  }
  return files.toSorted((one, other) => (one.path < other.path ? -1 : 1));
}

/** Given a name byte for byte, return it as text. Pure. */
export function textOf(path: string): string {
  return Buffer.from(path, "latin1").toString("utf8");
}

/** Given the path of a file, return the object that it belongs to, as text: the first level of its metric. Names that are the same as text are one object. Pure. */
export function objectOf(path: string): string {
  const at = path.indexOf("/");
  return at === -1 ? "." : textOf(path.slice(0, at));
}
