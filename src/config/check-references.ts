import { checkBackups } from "./check-backups.ts";
import { type BrokenReference, type Config, hasPort, type Kinds } from "./schema.ts";

/** Given a configuration of the right shape, return what its parts say of each other that is not so. Pure. */
export function checkReferences(config: Config, kinds: Kinds): BrokenReference[] {
  return [
    ...checkEnvironments(config),
    ...checkJumps(config),
    ...checkServices(config, kinds),
    ...checkBackups(config, kinds),
    ...checkNotify(config),
    ...checkConsistency(config),
    ...checkMenu(config),
    ...checkPanel(config),
  ];
}

function checkEnvironments(config: Config): BrokenReference[] {
  const environments = config.environments ?? {};
  const missing = (name: string | undefined, path: PropertyKey[]): BrokenReference[] =>
    name === undefined || Object.hasOwn(environments, name)
      ? []
      : [{ path, message: `there is no environment ${name}` }];
  return [
    ...missing(config.defaultEnvironment, ["defaultEnvironment"]),
    ...Object.entries(config.hosts ?? {}).flatMap(([name, host]) =>
      missing(host.environment, ["hosts", name, "environment"]),
    ),
    ...Object.entries(config.services ?? {}).flatMap(([name, service]) =>
      missing(service.environment, ["services", name, "environment"]),
    ),
    ...Object.entries(environments).flatMap(([name, { aws }]) =>
      aws?.alarms && !aws.regions
        ? [{ path: ["environments", name, "aws", "alarms"], message: "name their regions too" }]
        : [],
    ),
  ];
}

/** Whoever is to be told stands in `notify`. */
function checkNotify(config: Config): BrokenReference[] {
  const told: [PropertyKey[], readonly string[] | undefined][] = [
    [["health"], config.health?.notify],
    [["fleet"], config.fleet?.notify],
    ...Object.entries(config.backups?.jobs ?? {}).map(
      ([name, job]): [PropertyKey[], readonly string[] | undefined] => [
        ["backups", "jobs", name],
        job.notify,
      ],
    ),
  ];
  return told.flatMap(([path, names = []]) =>
    names.flatMap((name, index) =>
      Object.hasOwn(config.notify ?? {}, name)
        ? []
        : [{ path: [...path, "notify", index], message: `there is no notify ${name}` }],
    ),
  );
}

function checkJumps(config: Config): BrokenReference[] {
  const hosts = config.hosts ?? {};
  return Object.entries(hosts).flatMap(([name, host]) => {
    const unknown = (host.jump ?? []).flatMap((jump, index) =>
      Object.hasOwn(hosts, jump)
        ? []
        : [{ path: ["hosts", name, "jump", index], message: `there is no host ${jump}` }],
    );
    if (unknown.length > 0) return unknown;
    const loop = findLoop(config, name);
    return loop
      ? [{ path: ["hosts", name, "jump"], message: `it goes in a circle: ${loop.join(" → ")}` }]
      : [];
  });
}

/** The way from a host over its jump hosts back to itself, or undefined. */
function findLoop(config: Config, start: string): string[] | undefined {
  const seen = new Set<string>();
  const visit = (name: string, way: readonly string[]): string[] | undefined => {
    for (const next of config.hosts?.[name]?.jump ?? []) {
      if (next === start) return [...way, name, next];
      if (seen.has(next)) continue;
      seen.add(next);
      const loop = visit(next, [...way, name]);
      if (loop) return loop;
    }
    return undefined;
  };
  return visit(start, []);
}

function checkServices(config: Config, kinds: Kinds): BrokenReference[] {
  const takenBy = new Map<number, string>();
  return Object.entries(config.services ?? {}).flatMap(([name, service]) => {
    const found: BrokenReference[] = [];
    const report = (key: string, message: string): void => {
      found.push({ path: ["services", name, key], message });
    };
    if (service.host !== undefined && !Object.hasOwn(config.hosts ?? {}, service.host)) {
      report("host", `there is no host ${service.host}`);
    }
    const kind = kinds.find((one) => one.kind === service.kind);
    for (const { path, message } of kind?.checkService?.(service, config) ?? [])
      found.push({ path: ["services", name, ...path], message });
    if (hasPort(service) && service.host === undefined && service.address === undefined) {
      report("address", "a service needs a host to go through, an address, or both");
    }
    if (service.host !== undefined && service.environment !== undefined) {
      report("environment", "a service behind a host belongs to the environment of that host");
    }
    if (service.localPort !== undefined) {
      const other = takenBy.get(service.localPort);
      if (service.host === undefined)
        report("localPort", "only a service behind a host has a tunnel");
      if (other !== undefined)
        report("localPort", `${service.localPort} is the port of ${other} already`);
      takenBy.set(service.localPort, name);
    }
    return found;
  });
}

function checkMenu(config: Config): BrokenReference[] {
  const keys = new Set<string>();
  return (config.menu ?? []).flatMap((group, groupIndex) =>
    group.entries.flatMap((entry, index) => {
      const path = ["menu", groupIndex, "entries", index];
      const found: BrokenReference[] = [];
      if (keys.has(entry.key.toLowerCase())) {
        found.push({ path: [...path, "key"], message: `the key ${entry.key} is taken already` });
      }
      keys.add(entry.key.toLowerCase());
      if ("run" in entry && ["menu", "awsConnect", "lcops"].includes(entry.run[0] ?? "")) {
        found.push({
          path: [...path, "run", 0],
          message: "a command of lcops is expected, without lcops itself, and not the menu",
        });
      }
      if ("service" in entry) {
        const service = Object.hasOwn(config.services ?? {}, entry.service)
          ? config.services?.[entry.service]
          : undefined;
        if (!service)
          found.push({
            path: [...path, "service"],
            message: `there is no service ${entry.service}`,
          });
        else if (service.host === undefined) {
          found.push({
            path: [...path, "service"],
            message: `${entry.service} has no host to open a shell on`,
          });
        }
      }
      if ("host" in entry && !Object.hasOwn(config.hosts ?? {}, entry.host)) {
        found.push({ path: [...path, "host"], message: `there is no host ${entry.host}` });
      }
      return found;
    }),
  );
}

function checkConsistency(config: Config): BrokenReference[] {
  const { services = {}, environments = {} } = config;
  return Object.entries(config.consistency ?? {}).flatMap(([name, entry]) => {
    const at = ["consistency", name];
    const expectKind = (
      service: string,
      kind: "mysql" | "elasticsearch",
      path: PropertyKey[],
    ): BrokenReference[] => {
      const found = Object.hasOwn(services, service) ? services[service] : undefined;
      if (!found) return [{ path, message: `there is no service ${service}` }];
      return found.kind === kind
        ? []
        : [
            {
              path,
              message: `${service} is a ${found.kind} service, and a ${kind} one is expected`,
            },
          ];
    };
    const inEnvironment = (
      environment: string | undefined,
      path: PropertyKey[],
    ): BrokenReference[] =>
      environment === undefined || Object.hasOwn(environments, environment)
        ? []
        : [{ path, message: `there is no environment ${environment}` }];
    return [
      ...expectKind(entry.service, "mysql", [...at, "service"]),
      ...(entry.schema?.services ?? []).flatMap((service, index) => {
        const path = [...at, "schema", "services", index];
        return service === entry.service
          ? [{ path, message: `${service} is what is checked itself` }]
          : expectKind(service, "mysql", path);
      }),
      ...(entry.search ?? []).flatMap(({ service }, index) =>
        expectKind(service, "elasticsearch", [...at, "search", index, "service"]),
      ),
      ...(["objects", "items"] as const).flatMap((key) =>
        (entry[key] ?? []).flatMap(({ environment }, index) =>
          inEnvironment(environment, [...at, key, index, "environment"]),
        ),
      ),
    ];
  });
}

/** The services of statusMachine.sh, where nothing else is configured. */
const OLD_SERVICES = 6;
const OLD_LAUNCHES = ["ja", "jw", "app"];

/** The second of two lines of the panel with the same key could never be typed. */
function checkPanel({ workstation }: Config): BrokenReference[] {
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
