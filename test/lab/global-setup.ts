/** For vitest: one lab for all test files that ask for it, `inject('lab')`. */
import type { TestProject } from "vitest/node";
import type { LabDescription } from "./lab.ts";
import { summarizeParts } from "./parts.ts";
import { startLab } from "./start-lab.ts";

declare module "vitest" {
  // eslint-disable-next-line typescript/consistent-type-definitions -- only an interface can be added to
  interface ProvidedContext {
    lab: LabDescription;
  }
}

/** Takes the test project; starts the lab, provides its description, and returns what stops it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const { stop, ...description } = await startLab({ ports: "free", log: say });
  project.provide("lab", description);
  for (const line of summarizeParts(description.parts)) say(`lab: ${line}`);
  return stop;
}
