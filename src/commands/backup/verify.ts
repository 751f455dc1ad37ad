import type { Command } from "../command.ts";

export const backupVerify: Command = {
  name: "backup verify",
  summary: "Compare what is stored with the manifests: what is there, every byte, or what is in it",
  operands: [
    {
      syntax: "[set...]",
      description: "sets, or jobs for their newest; every job's newest when absent",
    },
  ],
  options: [
    {
      flags: "--level <level>",
      description: "sizes, hashes (the default), or decode, which opens and reads every part",
    },
  ],
  examples: [
    "backup verify",
    "backup verify school --level decode",
    "backup verify 20260131T021500Z-7f3a9c",
  ],
  danger: "reads",
  aws: true,
  async run(input, context) {
    const { runVerify } = await import("./run-verify.ts");
    return runVerify(input, context);
  },
};
