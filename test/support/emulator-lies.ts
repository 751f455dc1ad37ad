/** What the emulators get wrong, found by these tests; each is a case that the other one must pass. */
import { test } from "vitest";
import type { Emulator } from "./dynamo-ground.ts";

export const LIES: Readonly<Record<string, Partial<Record<Emulator, string>>>> = {
  "maps and lists are compared": { dynalite: "= of two maps, or two lists, never holds" },
  "the name __proto__": { dynalite: "an attribute of that name is dropped" },
  "an item of 399.9 KB": { moto: "items over 405,000 bytes are refused" },
};

/** Given an emulator and what a test asks of it, return the test, or the same skipped by name where that emulator cannot do it. */
export function testOn(emulator: Emulator, need: string) {
  return LIES[need]?.[emulator] === undefined ? test : test.skip;
}
