/** The parts of the lab that one test file asks for. */
import net from "node:net";
import { text } from "node:stream/consumers";
import { inject, test } from "vitest";
import type { LabDescription, PartName, PartState } from "../lab/lab.ts";

/** All that this file has named so far. */
const named = new Set<PartName>();

/** Begins another file: files share a process, and each has its own parts. */
export function beginFile(): void {
  named.clear();
}

/** Takes a part; returns what it is on this machine. */
export function stateOf(part: PartName): PartState {
  return inject("lab").parts.find(({ name }) => name === part)?.state ?? "absent";
}

/** `test`, skipped where this machine has not got one of these parts; the file's lab has them. */
export function testWith(...parts: PartName[]): typeof test.skip {
  for (const part of parts) named.add(part);
  return test.skipIf(parts.some((part) => stateOf(part) === "absent")) as typeof test.skip;
}

/**
 * Takes parts; starts those that no file has asked for yet, and returns the lab with these, what they need, and what this file
 * has named before. Of a part that this machine cannot have it says so in `parts`. Throws when one does not start.
 */
export async function useLab(...parts: PartName[]): Promise<LabDescription> {
  for (const part of parts) named.add(part);
  const socket = net.connect(inject("lab").socketPath);
  socket.end(JSON.stringify([...named]));
  const answer = JSON.parse(await text(socket)) as
    | { description: LabDescription }
    | { problem: string };
  if ("problem" in answer) throw new Error(answer.problem);
  return answer.description;
}
