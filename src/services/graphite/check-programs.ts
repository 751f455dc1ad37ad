import { OperatorError } from "../../system/errors.ts";
import type { Machine } from "./machine.ts";

/** From this one on names are taken as they are (`--verbatim-files-from`; GNU tar's NEWS, 1.29). */
const [LEAST_MAJOR, LEAST_MINOR] = [1, 29];

/** Given a machine, throw `missing` where its tar or its find cannot list and pack names of every shape, before anything is read or written. */
export async function checkPrograms(machine: Machine): Promise<void> {
  const [tar, find] = await Promise.all([askVersion(machine, "tar"), askVersion(machine, "find")]);
  const [, major = "0", minor = "0"] = /^tar \(GNU tar\) (\d+)\.(\d+)/.exec(tar) ?? [];
  const [is, least] = [Number(major), LEAST_MAJOR];
  if (is < least || (is === least && Number(minor) < LEAST_MINOR))
    throw refuse(machine, "tar", tar, `GNU tar ${LEAST_MAJOR}.${LEAST_MINOR} or newer`);
  if (!find.includes("(GNU findutils)")) throw refuse(machine, "find", find, "GNU find");
}

function refuse(machine: Machine, program: string, said: string, wanted: string): OperatorError {
  return new OperatorError("missing", `${machine.name}: ${program} --version says "${said}"`, {
    next: `have ${wanted} on the PATH there`,
  });
}

/** The first line; those that know no such option say that on stderr, and a shell that there is no such program. */
async function askVersion(machine: Machine, program: string): Promise<string> {
  let [stdout, stderr] = ["", ""];
  const isFailure = (_code: number, said: string): boolean => {
    stderr = said;
    return false;
  };
  for await (const chunk of machine.run([program, "--version"], { isFailure }))
    stdout += chunk.toString();
  return (stdout || stderr).trim().split("\n")[0] ?? "";
}
