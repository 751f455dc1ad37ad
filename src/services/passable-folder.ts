import { tmpdir } from "node:os";
import { basename, join } from "node:path";

/**
 * Given the folder of a run, return where it keeps what another user's server must reach, which no home folder lets through. It has the name of the
 * run, so that whoever sweeps the one behind a killed run sweeps the other. Pure but for $TMPDIR.
 */
export function passableFolder(runFolder: string): string {
  return join(tmpdir(), `lcops-${basename(runFolder)}`);
}
