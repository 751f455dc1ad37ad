/** Small programs of the shell, in a folder that stands first in PATH. */
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

export interface ScriptedPrograms {
  /** A temporary folder for the test's own files. */
  folder: string;
  environment: Record<string, string>;
  /** Writes a program, whose text is that of a shell script, and returns its path. */
  write(name: string, script: string): string;
  remove(): void;
}

/** Makes the folder, with a sudo that lets everybody be root and runs the rest as this user. */
export function makePrograms(): ScriptedPrograms {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), "lcops-programs-")));
  const bin = path.join(folder, "bin");
  mkdirSync(bin);
  const write = (name: string, script: string): string => {
    const file = path.join(bin, name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    return file;
  };
  // As it is called: sudo -n -- WORDS.
  write("sudo", 'shift 2; exec "$@"');
  return {
    folder,
    environment: { PATH: `${bin}:${process.env["PATH"] ?? ""}`, HOME: folder },
    write,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
