/** A host that is to be upgraded, as far as the order goes. */
export interface WaveHost {
  label: string;
  isProduction: boolean;
  role: string | undefined;
  region: string | undefined;
  packages: readonly string[];
}

/** Hosts that are upgraded at the same time; the next wave begins once all of this one are well. */
export interface Wave {
  isCanary: boolean;
  hosts: readonly string[];
}

/**
 * Given hosts, return the waves in which they are upgraded: what is not production first; there one host for each distinct plan as the canary, then
 * a quarter, half, and the rest, never more than a quarter of a role (one at the least) nor two of its regions at once; machines that are alone in
 * their role come last, one by one. Pure.
 */
export function planWaves(hosts: readonly WaveHost[]): Wave[] {
  return [false, true].flatMap((isProduction) =>
    planTier(hosts.filter((host) => host.isProduction === isProduction)),
  );
}

function planTier(tier: readonly WaveHost[]): Wave[] {
  const sizes = countBy(tier, roleOf);
  const sizeOf = (host: WaveHost): number => sizes.get(roleOf(host)) ?? 1;
  // Those with many beside them are missed the least.
  const ordered = tier.toSorted(
    (left, right) => sizeOf(right) - sizeOf(left) || orderOf(left).localeCompare(orderOf(right)),
  );
  const isAlone = (host: WaveHost): boolean => sizeOf(host) === 1;
  const canaries = [...new Map(ordered.toReversed().map((host) => [planOf(host), host])).values()]
    .toReversed()
    .filter((host) => !isAlone(host));
  const waves: Wave[] = splitByRole(canaries, sizes, canaries.length).map((wave) => ({
    isCanary: true,
    hosts: wave,
  }));
  const chosen = new Set(canaries);
  let rest = ordered.filter((host) => !chosen.has(host) && !isAlone(host));
  for (const share of [0.25, 0.5, 1]) {
    const size = share === 1 ? rest.length : Math.ceil(rest.length * share);
    if (size === 0) continue;
    for (const wave of splitByRole(rest.slice(0, size), sizes, size))
      waves.push({ isCanary: false, hosts: wave });
    rest = rest.slice(size);
  }
  const alone = ordered.filter(isAlone);
  return [
    ...waves,
    ...alone.map(({ label }, index) => ({
      // With nothing else to try it on, the first of them is the canary.
      isCanary: waves.length === 0 && index === 0,
      hosts: [label],
    })),
  ];
}

/** Fills waves, each with no more of a role than may be away at once, and of one region of it. */
function splitByRole(
  hosts: readonly WaveHost[],
  sizes: ReadonlyMap<string, number>,
  most: number,
): string[][] {
  const waves: WaveHost[][] = [];
  for (const host of hosts) {
    const may = Math.max(1, Math.floor((sizes.get(roleOf(host)) ?? 1) / 4));
    const open = waves.find((wave) => {
      const same = wave.filter((other) => roleOf(other) === roleOf(host));
      return (
        wave.length < most &&
        same.length < may &&
        same.every(({ region }) => region === host.region)
      );
    });
    if (open) open.push(host);
    else waves.push([host]);
  }
  return waves.map((wave) => wave.map(({ label }) => label));
}

const roleOf = ({ role = "" }: WaveHost): string => role;
const planOf = ({ packages }: WaveHost): string => packages.join("\n");
const orderOf = ({ region = "", role = "", label }: WaveHost): string =>
  `${role} ${region} ${label}`;

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}
