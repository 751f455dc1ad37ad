import type { Command } from "../command.ts";

export const fleetRun: Command = {
  name: "fleet run",
  summary: "Run one command on many hosts, what they say alike shown once",
  operands: [
    {
      syntax: "<selector...>",
      description: "name, glob, env=, role=, region=, source=; comma for AND",
    },
  ],
  rest: "COMMAND to run; one word is shell text, several are passed on as they are",
  examples: [
    "fleet run role=api -- uptime",
    "fleet run 'dev-*' env=prod,role=worker -- 'df -h / | tail -1'",
    "fleet run env=dev --json -- dpkg-query -W openssl",
  ],
  danger: "writes",
  aws: true,
  changesEstate: false,
  async run(input, context) {
    const { runFleetRun } = await import("./run-fleet-run.ts");
    return runFleetRun(input, context);
  },
};
