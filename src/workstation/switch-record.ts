import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../system/atomic-file.ts";
import { errorCode, OperatorError } from "../system/errors.ts";

/** What is to be put back when a switch of MySQL is turned off. */
export interface SwitchRecord {
  /** Variables, as the server showed them. */
  before: Readonly<Record<string, string>>;
  /** When it turns itself off, ISO 8601. */
  until?: string;
  /** Of the server: the connection that waits to do it. */
  session?: number;
}

const recordPath = (stateFolder: string, name: string): string =>
  join(stateFolder, "machine", `${name}.json`);

/** Given the state folder and the name of a service, return what was written down of it; undefined where there is nothing. */
export async function readSwitch(
  stateFolder: string,
  name: string,
): Promise<SwitchRecord | undefined> {
  const path = recordPath(stateFolder, name);
  try {
    return JSON.parse(await readFile(path, "utf8")) as SwitchRecord;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw new OperatorError("failed", `${path} cannot be read`, {
      next: "it holds what is to be put back: mend it or remove it",
      cause: error,
    });
  }
}

/** Given a record, have it on the disk before what it speaks of is done. */
export async function writeSwitch(
  stateFolder: string,
  name: string,
  record: SwitchRecord,
): Promise<void> {
  await writeFileAtomically(recordPath(stateFolder, name), `${JSON.stringify(record)}\n`);
}

/** Take the record away. */
export async function forgetSwitch(stateFolder: string, name: string): Promise<void> {
  await rm(recordPath(stateFolder, name), { force: true });
}
