import type { Command } from "../command.ts";

export const redisFlush: Command = {
  name: "redis flush",
  summary: "Remove keys of a Redis by pattern, or all of a database, in the background",
  operands: [
    { syntax: "<target>", description: "a Redis, or the host through which one is reached" },
  ],
  options: [
    {
      flags: "--pattern <glob>",
      description: "only keys that match, e.g. 'api:*'; others of the server are not held up",
    },
    {
      flags: "--db [index]",
      description:
        "the whole database, the configured one without a number; with --pattern, keys in it",
    },
    { flags: "--all", description: "every database of the server" },
  ],
  examples: [
    "redis flush prod-cache --pattern 'api:*' --dry-run",
    "redis flush dev-api3-2 --db",
    "redis flush prod-cache --db 3 --confirm prod-cache",
  ],
  danger: "destroys",
  aws: true,
  unattended: "--pattern, --db or --all, and --yes, in production --confirm NAME",
  async run(input, context) {
    const { runFlush } = await import("./run-flush.ts");
    return runFlush(input, context);
  },
};
