/** The emulators of DynamoDB that this machine has, and what each gets wrong. */
import { test } from "vitest";
import { startDynalite } from "../lab/dynalite.ts";
import { stateOf, useLab } from "./lab.ts";

type Emulator = "dynalite" | "moto";

/** Found by these tests; each is a case that the other one must pass. */
export const LIES: Readonly<Record<string, Partial<Record<Emulator, string>>>> = {
  "maps and lists are compared": { dynalite: "= of two maps, or two lists, never holds" },
  "the name __proto__": { dynalite: "an attribute of that name is dropped" },
  "an item of 399.9 KB": { moto: "items over 405,000 bytes are refused" },
};

/** dynalite always; moto, which the lab starts, once it was fetched. */
export const EMULATORS: readonly Emulator[] = ["dynalite", "moto"];

const hasMoto = (): boolean => stateOf("aws") === "emulator";

/** Given an emulator and what a test asks of it, return the test, or the same skipped by name where that emulator is not there or cannot do it. */
export function testOn(emulator: Emulator, need?: string) {
  const isLie = need !== undefined && LIES[need]?.[emulator] !== undefined;
  return isLie || (emulator === "moto" && !hasMoto()) ? test.skip : test;
}

/** Given an emulator, return where it is, and what ends it. Where there is no moto all of its tests are skipped, and it does not matter which. */
export async function startEmulator(
  emulator: Emulator,
): Promise<{ url: string; close: () => Promise<void> }> {
  if (emulator === "dynalite" || !hasMoto()) return startDynalite();
  const { aws } = await useLab("aws");
  return { url: aws?.endpointUrl ?? "", close: async () => undefined };
}
