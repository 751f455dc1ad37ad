import type { Machine } from "./machine.ts";
import { nameOf, readNames, writeNames } from "./names.ts";

/** A symbolic link to a folder or to a whisper file. */
export interface FoundLink {
  /** Relative to the folder, byte for byte. */
  path: string;
  /** Whether what it leads to stands below the folder, and is read there. */
  isInside: boolean;
}

/** Of xargs, where one of its programs has ended with 1 (POSIX: 1 to 125): a link leads nowhere, or round in a circle. */
const SOME_FAILED = 123;

/** Given a machine and a folder, return the links below it that Graphite would follow. Those that lead nowhere, or round in a circle, are none. */
export async function findLinks(machine: Machine, folder: string): Promise<FoundLink[]> {
  const words = ["find", "-H", folder, "-name", ".lcops-*", "-prune", "-o", "-type", "l"];
  const links = await readNames(machine.run([...words, "-printf", "%P\\0"]));
  if (links.length === 0) return [];
  const root = nameOf(folder);
  const ask = (program: string[], names: readonly string[]): Promise<string[]> =>
    readNames(
      machine.run(["xargs", "--null", ...program, "--"], {
        input: writeNames(names),
        isFailure: (code) => code !== 0 && code !== SOME_FAILED,
      }),
    );
  const kinds = await ask(
    ["stat", "--dereference", "--printf", "%F:%n\\0"],
    links.map((path) => `${root}/${path}`),
  );
  const found = kinds
    .filter((line) => /^directory:|^regular [^:]*:.*\.wsp$/s.test(line))
    .map((line) => {
      const path = line.slice(line.indexOf(":") + 1);
      return { path, isFolder: line.startsWith("directory:") };
    });
  const [top = "", ...targets] = await ask(
    ["readlink", "--canonicalize-missing", "--zero"],
    [root, ...found.map(({ path }) => path)],
  );
  return found.map(({ path, isFolder }, index) => {
    const target = targets[index] ?? "";
    // A file of another name is not read.
    const isRead = isFolder || target.endsWith(".wsp");
    const isInside = isRead && (target === top || target.startsWith(`${top}/`));
    return { path: path.slice(root.length + 1), isInside };
  });
}
