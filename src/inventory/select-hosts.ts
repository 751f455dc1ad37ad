import { NAME } from "../config/name.ts";
import { OperatorError } from "../system/errors.ts";
import { makeGlob } from "../system/make-glob.ts";
import { countOf } from "../system/quantities.ts";
import { describeAddress, type Host } from "./host.ts";

const FIELDS = {
  env: (host: Host) => host.environment,
  environment: (host: Host) => host.environment,
  role: (host: Host) => host.role,
  region: (host: Host) => host.region,
  source: (host: Host) => host.sources,
  name: (host: Host) => (host.instanceId === undefined ? host.name : [host.name, host.instanceId]),
} as const;

/**
 * Given hosts and selectors, return the hosts that any selector picks, in the order of the inventory; all of them for no selector.
 * A selector is a name or an instance id, a glob, or `field=value` (value may be a glob); a comma means AND.
 * Throws `usage` for a field that does not exist, and for a selector that picks nothing; of a partial list nobody knows that.
 * `stopped` are hosts that are not to be picked: one that a selector means is told from one that there is not.
 */
export function selectHosts(
  hosts: readonly Host[],
  selectors: readonly string[],
  options: { isPartial?: boolean; stopped?: readonly Host[] } = {},
): Host[] {
  if (selectors.length === 0) return [...hosts];
  const picked = new Set<Host>();
  for (const selector of selectors) {
    const matches = makeMatcher(selector);
    const found = hosts.filter(matches);
    if (found.length === 0 && !options.isPartial) {
      throw options.stopped?.some(matches) ? notRunning(selector) : noSuchHost(selector, hosts);
    }
    for (const host of found) picked.add(host);
  }
  return hosts.filter((host) => picked.has(host));
}

/**
 * Given hosts and a selector that must pick one, return that host; a host of exactly that name wins over a pattern, one that runs over
 * its stopped twin. One that is named by its instance id is called by it where its own name is no plain word.
 * Throws `usage` with the candidates where several match, or none does.
 */
export function findHost(hosts: readonly Host[], selector: string): Host {
  const byId = hosts.find((host) => host.instanceId === selector);
  if (byId) return NAME.test(byId.name) ? byId : { ...byId, name: selector };
  const exact = hosts.filter((host) => host.name === selector);
  const running = exact.filter((host) => host.state === "running");
  const found =
    exact.length > 0 ? (running.length > 0 ? running : exact) : selectHosts(hosts, [selector]);
  const [only] = found;
  if (only && found.length === 1) return only;
  const isTwin = exact.length > 0;
  throw new OperatorError(
    "usage",
    `${selector} is ${countOf(found.length, "host")}, and one is needed`,
    {
      next: `name one of ${found.map((host) => (isTwin ? (host.instanceId ?? host.name) : host.name)).join(", ")}`,
      details: isTwin ? found.map(describeTwin) : [],
    },
  );
}

function describeTwin(host: Host): string {
  const launched = host.launchedAt === undefined ? "" : `, since ${host.launchedAt}`;
  return `${host.instanceId ?? host.name} in ${host.region ?? "?"}, ${describeAddress(host)?.value ?? "without an address"}${launched}`;
}

function makeMatcher(selector: string): (host: Host) => boolean {
  const tests = selector.split(",").map((part) => {
    const equals = part.indexOf("=");
    const field = equals < 0 ? "name" : part.slice(0, equals);
    const pattern = makeGlob(part.slice(equals + 1));
    if (!Object.hasOwn(FIELDS, field)) {
      throw new OperatorError("usage", `${selector}: hosts have no ${field}`, {
        next: `select by name, ${Object.keys(FIELDS)
          .filter((known) => known !== "name")
          .join(", ")}`,
      });
    }
    const read = FIELDS[field as keyof typeof FIELDS];
    return (host: Host): boolean => [read(host) ?? ""].flat().some((value) => pattern.test(value));
  });
  return (host) => tests.every((test) => test(host));
}

/** At most so many names are proposed: an estate may have thousands. */
const NEAR_SHOWN = 5;

function noSuchHost(selector: string, hosts: readonly Host[]): OperatorError {
  const text = selector.toLowerCase();
  const near = new Set(
    hosts.flatMap(({ name }) => (text !== "" && name.toLowerCase().includes(text) ? [name] : [])),
  );
  const shown = [...near].slice(0, NEAR_SHOWN).join(" or ");
  const more = near.size > NEAR_SHOWN ? `, or one of ${near.size - NEAR_SHOWN} more` : "";
  return new OperatorError("usage", `no host matches ${selector === "" ? '""' : selector}`, {
    next: near.size > 0 ? `did you mean ${shown}${more}?` : "lcops hosts lists them",
  });
}

function notRunning(selector: string): OperatorError {
  return new OperatorError("usage", `no host that runs matches ${selector}`, {
    next: "--all lists those that do not, too",
  });
}
