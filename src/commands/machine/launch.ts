import type { Command } from "../command.ts";

export const machineLaunch: Command = {
  name: "machine launch",
  summary: "Run a load test of JMeter, or the app, and stay with it",
  operands: [{ syntax: "<name>", description: "ja, jw, app, or as workstation.launches says" }],
  examples: ["machine launch ja", "machine launch ja --json", "machine launch app"],
  danger: "writes",
  changesEstate: false,
  async run(input, context) {
    const { runLaunch } = await import("./run-launch.ts");
    return runLaunch(input.operands[0] ?? "", context);
  },
};
