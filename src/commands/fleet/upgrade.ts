import type { Command } from "../command.ts";

export const fleetUpgrade: Command = {
  name: "fleet upgrade",
  summary: "Upgrade the packages of many hosts: plan, canary, growing batches while alarms say OK",
  operands: [
    {
      syntax: "[selector...]",
      description: "name, glob, env=, role=, region=, source=; comma for AND",
    },
  ],
  options: [{ flags: "--resume", description: "go on with the last upgrade, which ended early" }],
  examples: [
    "fleet upgrade role=api --dry-run",
    "fleet upgrade env=prod --confirm prod",
    "fleet upgrade --resume",
  ],
  danger: "destroys",
  aws: true,
  unattended: "--yes, in production --confirm NAME",
  async run(input, context) {
    const { runFleetUpgrade } = await import("./run-fleet-upgrade.ts");
    return runFleetUpgrade(input, context);
  },
};
