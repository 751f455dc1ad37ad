import { describeAddress, type Host } from "../inventory/host.ts";
import type { Inventory } from "../inventory/load-inventory.ts";
import { printable } from "../system/printable.ts";
import type { Command, Context } from "./command.ts";

export const hosts: Command = {
  name: "hosts",
  aliases: ["li"],
  summary: "List the hosts of the inventory, of every source and region",
  operands: [
    {
      syntax: "[selector...]",
      description: "name, glob, env=, role=, region=, source=; comma for AND",
    },
  ],
  options: [
    { flags: "--refresh", description: "ask AWS again, whatever the cache has" },
    { flags: "--all", description: "the stopped ones too" },
  ],
  examples: ["hosts", "hosts env=prod,role=api", "hosts 'dev-*' --json", "hosts --refresh --all"],
  danger: "reads",
  aws: true,
  async run(input, context) {
    const { selectHosts } = await import("../inventory/select-hosts.ts");
    const { startProgress } = await import("../terminal/progress.ts");
    const progress = startProgress(context.terminal);
    progress.update("asking AWS what there is");
    const inventory = await context
      .inventory(input.options["refresh"] === true ? "refresh" : "list")
      .finally(progress.end);
    tellGaps(inventory, context);
    const isListed = input.options["all"] === true ? () => true : isAlive;
    const listed = inventory.hosts.filter(isListed);
    const stopped = inventory.hosts.filter((host) => !isListed(host));
    const isPartial = inventory.gaps.length > 0;
    const picked = selectHosts(listed, input.operands, { isPartial, stopped });
    await render(picked, inventory, context);
    return isPartial ? 3 : 0;
  },
};

/** A host without a state is one that AWS knows nothing of. */
function isAlive(host: Host): boolean {
  return host.state === undefined || ["running", "pending", "stopping"].includes(host.state);
}

function tellGaps({ gaps, notes }: Inventory, { terminal }: Context): void {
  for (const { error, shownFrom, lost } of gaps) {
    const instead = shownFrom === undefined ? lost : `shown as of ${shownFrom}`;
    terminal.warn(printable(`lcops: ${error.message}; ${instead}; ${error.next ?? "try again"}`));
  }
  for (const note of notes) terminal.note(printable(note));
}

async function render(
  listed: readonly Host[],
  inventory: Inventory,
  context: Context,
): Promise<void> {
  const { terminal } = context;
  if (terminal.flags.json) {
    const { gaps, notes, asOf = null } = inventory;
    terminal.printJson({ asOf, gaps: gaps.map(gapToJson), notes, hosts: listed.map(toJson) });
    return;
  }
  const { printTable } = await import("../terminal/table.ts");
  printTable(terminal, listed, [
    { title: "NAME", value: (host) => host.name },
    { title: "ENV", value: (host) => host.environment ?? "" },
    { title: "ROLE", value: (host) => host.role ?? "" },
    { title: "REGION", value: (host) => host.region ?? "" },
    { title: "KIND", value: (host) => describeAddress(host)?.kind ?? "" },
    { title: "ADDRESS", value: showAddress },
    { title: "SOURCE", value: (host) => host.sources.join("+") },
    { title: "STATE", value: (host) => host.state ?? "" },
    { title: "INSTANCE", value: (host) => host.instanceId ?? "" },
    // On a screen one line below says it of all.
    ...(terminal.isScreen ? [] : [{ title: "AS OF", value: readAsOf }]),
  ]);
  for (const host of listed) {
    for (const { field, source, value } of host.conflicts ?? []) {
      terminal.note(
        printable(
          `${host.name}: ${field} is ${host[field]} by ${host.fields?.[field]?.source}, ${value} by ${source}`,
        ),
      );
    }
  }
  if (terminal.isScreen && inventory.asOf !== undefined) {
    terminal.note(
      terminal.err.dim(`AWS as of ${describeAge(inventory.asOf)}; --refresh asks again`),
    );
  }
}

/** When AWS was asked for it; nothing where AWS does not know it. */
function readAsOf(host: Host): string {
  const times = Object.values(host.fields ?? {}).flatMap(({ at }) => at ?? []);
  return times.sort()[0] ?? "";
}

function describeAge(at: string): string {
  const seconds = Math.round((Date.now() - Date.parse(at)) / 1000);
  if (seconds < 5) return "now";
  return seconds < 120 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`;
}

function showAddress(host: Host): string {
  const value = describeAddress(host)?.value ?? "";
  const port = host.port === undefined || host.port === 22 ? "" : `:${host.port}`;
  const via = host.jump ? ` via ${host.jump.join(", ")}` : "";
  return `${value}${port}${via}`;
}

function gapToJson({ error, region, profile, shownFrom }: Inventory["gaps"][number]) {
  return {
    kind: error.kind,
    message: error.message,
    next: error.next ?? null,
    region: region ?? null,
    profile: profile ?? null,
    shownFrom: shownFrom ?? null,
  };
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
    publicAddress: host.publicAddress ?? null,
    privateAddress: host.privateAddress ?? null,
    port: host.port ?? null,
    user: host.user ?? null,
    jump: host.jump ?? [],
    instanceId: host.instanceId ?? null,
    state: host.state ?? null,
    launchedAt: host.launchedAt ?? null,
    sources: host.sources,
    fields: host.fields ?? {},
    conflicts: host.conflicts ?? [],
  };
}
