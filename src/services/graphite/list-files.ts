import { OperatorError } from "../../system/errors.ts";
import type { Machine } from "./machine.ts";
import { readNames, textOf } from "./names.ts";

/** A whisper file where it stands. */
export interface FoundFile {
  /** Relative to the folder, byte for byte. */
  path: string;
  bytes: number;
  /** Unix time, whole seconds. */
  modified: number;
}

/** Given a machine and a folder, return the whisper files below it in the order of their names. Throws `failed` where they cannot be listed, all of them. */
export async function listFiles(machine: Machine, folder: string): Promise<FoundFile[]> {
  // What a restore has begun to put there is none of them.
  const words = ["find", "-H", folder, "-name", ".lcops-*", "-prune"];
  words.push("-o", "-type", "f", "-name", "*.wsp", "-printf", "%s %T@ %P\\0");
  try {
    const lines = await readNames(machine.run(words));
    const files = lines.map((line): FoundFile => {
      const [, bytes, modified, path = ""] = /^(\d+) (-?\d+)[.\d]* (.*)$/s.exec(line) ?? [];
      return { bytes: Number(bytes), modified: Number(modified), path };
    });
    return files.toSorted((one, other) => (one.path < other.path ? -1 : 1));
  } catch (error) {
    if (error instanceof OperatorError && error.kind === "failed")
      throw new OperatorError("failed", `the whisper files cannot be listed: ${error.message}`, {
        next: "set graphite.folder of the backup job, or have its user read that folder",
        cause: error,
      });
    throw error;
  }
}

/** Given the path of a file, return the object that it belongs to, as text: the first level of its metric. Names that are the same as text are one object. Pure. */
export function objectOf(path: string): string {
  const at = path.indexOf("/");
  return at === -1 ? "." : textOf(path.slice(0, at));
}
