import type { Command } from "../command.ts";

export const dbCompare: Command = {
  name: "db compare",
  summary: "Compare two servers, two environments, or a server and a backup set; reads only",
  operands: [
    {
      syntax: "<a>",
      description: "a MySQL service, SERVICE/DATABASE, an environment, a backup set or job",
    },
    { syntax: "<b>", description: "what it is compared with, of the same choice" },
  ],
  examples: [
    "db compare school school-old",
    "db compare dev prod",
    "db compare school 20260131T021500Z-7f3a9c",
    "db compare school/school school/rescued",
  ],
  danger: "reads",
  aws: true,
  async run(input, context) {
    const { runCompare } = await import("./run-compare.ts");
    return runCompare(input, context);
  },
};
