import type { NamedHost } from "../../fleet/run-on-hosts.ts";
import type { Host } from "../../inventory/host.ts";
import type { Inventory } from "../../inventory/load-inventory.ts";
import { selectHosts } from "../../inventory/select-hosts.ts";
import { OperatorError } from "../../system/errors.ts";
import { printable } from "../../system/printable.ts";
import { startProgress } from "../../terminal/progress.ts";
import type { Context } from "../command.ts";

/** What a selector picks for work on many hosts. */
export interface PickedHosts {
  hosts: readonly NamedHost[];
  /** Whether a part of the inventory could not be seen, and hosts may be missing. */
  isPartial: boolean;
}

/**
 * Given selectors, return the hosts that they pick and that run, of an inventory that is asked for afresh; what could not be seen of it is told.
 * Throws `usage` where one picks none, `unreachable` where none can be seen. Of an earlier choice hosts may be gone: there a selector may pick none.
 */
export async function pickHosts(
  selectors: readonly string[],
  context: Context,
  { isEarlier = false }: { isEarlier?: boolean } = {},
): Promise<PickedHosts> {
  const progress = startProgress(context.terminal);
  progress.update("asking AWS what there is");
  const inventory = await context.inventory("refresh").finally(progress.end);
  const running = inventory.hosts.filter(isRunning);
  const stopped = inventory.hosts.filter((host) => !isRunning(host));
  const isPartial = inventory.gaps.length > 0;
  const picked = selectHosts(running, selectors, {
    isPartial: isPartial || isEarlier,
    stopped,
  });
  if (picked.length === 0 && isPartial) throw nothingSeen(inventory);
  for (const { error, lost } of inventory.gaps)
    context.terminal.warn(
      printable(`lcops: ${error.message}; ${lost}; ${error.next ?? "try again"}`),
    );
  return { hosts: nameApart(picked), isPartial };
}

/** A host without a state is one that AWS knows nothing of. */
function isRunning({ state }: Host): boolean {
  return state === undefined || state === "running";
}

function nothingSeen({ gaps }: Inventory): OperatorError {
  return new OperatorError("unreachable", "no host was found, and a part of AWS cannot be seen", {
    next: "mend what is named below, or leave it out with --region",
    details: gaps.map(({ error }) => error.message),
  });
}

/** Machines of one name are told apart by their instances. */
function nameApart(hosts: readonly Host[]): NamedHost[] {
  const isTwin = (host: Host): boolean =>
    hosts.some((other) => other !== host && other.name === host.name);
  return hosts.map((host) => ({
    host,
    label:
      host.instanceId !== undefined && isTwin(host) ? `${host.name} ${host.instanceId}` : host.name,
  }));
}
