import type { Machine, Wishes } from "./propose-config.ts";
import { loadInventory, type Inventory } from "../../inventory/load-inventory.ts";
import { printable } from "../../system/printable.ts";
import { countOf } from "../../system/quantities.ts";
import { startProgress } from "../../terminal/progress.ts";
import type { Context } from "../command.ts";

type Environment = Wishes["environments"][number];

interface Found {
  /** Those that run, each once. */
  machines: Machine[];
  /** By environment: the account that its profile belongs to. */
  accounts: Map<string, string>;
  /** Whether a region could not be asked; it has been named then. */
  isPartial: boolean;
}

/** Given the environments of a configuration to be, return what EC2 shows of them; where it cannot be asked, that is said, and the rest goes on. */
export async function findMachines(
  environments: readonly Environment[],
  context: Context,
): Promise<Found> {
  const names = new Set(environments.map(({ name }) => name));
  const accounts = new Map<string, string>();
  const machines = new Map<string, Machine>();
  // Of a machine that several see and no tag tells apart, the last word has the one that is guarded.
  const guardedLast = environments.toSorted((a, b) => Number(a.production) - Number(b.production));
  const progress = startProgress(context.terminal);
  progress.update("asking AWS what there is");
  const asked = Promise.all(guardedLast.map((one) => askAws(one, context)));
  const inventories = await asked.finally(progress.end);
  for (const [index, { name }] of guardedLast.entries()) {
    const { hosts = [], gaps = [], accounts: seen = [] } = inventories[index] ?? {};
    const [account] = seen;
    if (account !== undefined && seen.length === 1) accounts.set(name, account);
    for (const { error } of gaps) {
      context.terminal.warn(
        printable(
          `lcops: ${error.message}; its hosts are not proposed; ${error.next ?? "try again"}`,
        ),
      );
    }
    for (const host of hosts) {
      if (host.state !== "running") continue;
      const environment = names.has(host.environment ?? "") ? (host.environment ?? "") : name;
      machines.set(host.instanceId ?? host.name, {
        name: host.name,
        environment,
        tags: host.tags ?? {},
        ...(host.region !== undefined && { region: host.region }),
        ...(host.role !== undefined && { role: host.role }),
      });
    }
  }
  if (machines.size > 0)
    context.terminal.note(`found ${countOf(machines.size, "running machine")} in AWS`);
  const isPartial = inventories.some(({ gaps }) => gaps.length > 0);
  return { machines: [...machines.values()], accounts, isPartial };
}

function askAws({ name, profile, regions }: Environment, context: Context): Promise<Inventory> {
  const scopes = (regions ?? []).map((region) => ({
    region,
    ...(profile !== undefined && { profile }),
    environments: [name],
    hasOpsWorks: false,
    hasElasticIps: false,
  }));
  const { folders, environment, signal } = context;
  return loadInventory(
    {},
    { scopes, cacheFolder: folders.cache, environment, signal, freshness: "refresh" },
  );
}
