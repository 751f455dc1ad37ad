import { describeAddress, type Host } from "../inventory/host.ts";
import type { Command } from "./command.ts";

export const hosts: Command = {
  name: "hosts",
  aliases: ["li"],
  summary: "List the hosts of the inventory",
  operands: [
    {
      syntax: "[selector...]",
      description: "name, glob, env=, role=, region=, source=; comma for AND",
    },
  ],
  examples: ["hosts", "hosts env=prod,role=api", "hosts 'dev-*' --json"],
  danger: "reads",
  async run(input, context) {
    const { selectHosts } = await import("../inventory/select-hosts.ts");
    const selected = selectHosts(await context.hosts(), input.operands);
    if (context.terminal.flags.json) {
      context.terminal.printJson(selected.map(toJson));
      return 0;
    }
    const { printTable } = await import("../terminal/table.ts");
    printTable(context.terminal, selected, [
      { title: "NAME", value: (host) => host.name },
      { title: "ENV", value: (host) => host.environment ?? "" },
      { title: "ROLE", value: (host) => host.role ?? "" },
      { title: "REGION", value: (host) => host.region ?? "" },
      { title: "KIND", value: (host) => describeAddress(host)?.kind ?? "" },
      { title: "ADDRESS", value: showAddress },
      { title: "SOURCE", value: (host) => host.source },
    ]);
    return 0;
  },
};

function showAddress(host: Host): string {
  const value = describeAddress(host)?.value ?? "";
  const port = host.port === undefined || host.port === 22 ? "" : `:${host.port}`;
  const via = host.jump ? ` via ${host.jump.join(", ")}` : "";
  return `${value}${port}${via}`;
}

/** Every key is there for every host, so that scripts need not ask. */
function toJson(host: Host): Record<string, unknown> {
  const address = describeAddress(host);
  return {
    name: host.name,
    environment: host.environment ?? null,
    role: host.role ?? null,
    region: host.region ?? null,
    address: address?.value ?? null,
    addressKind: address?.kind ?? null,
    port: host.port ?? null,
    user: host.user ?? null,
    jump: host.jump ?? [],
    source: host.source,
  };
}
