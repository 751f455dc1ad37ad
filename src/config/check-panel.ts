import type { BrokenReference } from "./check-references.ts";
import type { Config } from "./schema.ts";

/** Of statusMachine.sh, where nothing else is configured. */
const OLD_SERVICES = 6;
const OLD_LAUNCHES = ["ja", "jw", "app"];

/** Given a configuration, return the keys of the panel that two of its lines have, since the second one could never be typed. Pure. */
export function checkPanel({ workstation }: Config): BrokenReference[] {
  const { services, launches, repositories = {} } = workstation ?? {};
  const taken = new Set(["q", ...(Object.keys(repositories).length > 0 ? ["repo"] : [])]);
  const broken: BrokenReference[] = [];
  const take = (key: string, path: PropertyKey[]): void => {
    const same = key.toLowerCase();
    if (taken.has(same)) broken.push({ path, message: `the panel has the key ${key} already` });
    taken.add(same);
  };
  if (!services) for (let number = 1; number <= OLD_SERVICES; number++) taken.add(String(number));
  if (!launches) for (const key of OLD_LAUNCHES) taken.add(key);
  for (const [index, [name, { key }]] of Object.entries(services ?? {}).entries())
    take(key ?? String(index + 1), ["workstation", "services", name]);
  for (const [name, { key }] of Object.entries(launches ?? {}))
    take(key ?? name, ["workstation", "launches", name]);
  return broken;
}
