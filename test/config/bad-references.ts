import type { BadConfiguration } from "./bad-files.ts";

const redis = { kind: "redis", port: 6379 };
const web = { address: { eip: "192.0.2.1" } };

const write = (
  name: string,
  value: unknown,
  at: string,
  says: string,
  mistakes = 1,
): BadConfiguration => ({ name, content: JSON.stringify(value, undefined, 2), at, says, mistakes });

const jumps = (way: Record<string, string[]>): unknown => ({
  hosts: Object.fromEntries(Object.entries(way).map(([name, jump]) => [name, { jump }])),
});
const menu = (...entries: unknown[]): unknown => ({
  hosts: { web },
  services: { cache: { ...redis, address: "cache.example.com" } },
  menu: [{ title: "Menu", entries }],
});

const backup = (job: object, more: object = {}): unknown => ({
  services: {
    cache: { ...redis, address: "cache.example.com" },
    school: { kind: "mysql", port: 3306, address: "x" },
  },
  backups: {
    destinations: { operator: { folder: "~/b" } },
    recipients: [],
    jobs: { one: job },
    ...more,
  },
});

const consistency = (entry: object): unknown => ({
  environments: { dev: {} },
  services: {
    cache: { ...redis, address: "cache.example.com" },
    school: { kind: "mysql", port: 3306, address: "x" },
  },
  consistency: { one: { service: "school", ...entry } },
});

/** Files of the right shape whose parts speak of what is not there. */
export const BAD_REFERENCES: readonly BadConfiguration[] = [
  write(
    "a check of a service that is none of MySQL",
    consistency({ service: "cache" }),
    "consistency.one.service",
    "cache is a redis service, and a mysql one is expected",
  ),
  write(
    "a schema that is compared with itself",
    consistency({ schema: { services: ["school"] } }),
    "consistency.one.schema.services[0]",
    "school is what is checked itself",
  ),
  write(
    "documents of a service that is not there",
    consistency({ search: [{ table: "a", column: "b", service: "logs", index: "i" }] }),
    "consistency.one.search[0].service",
    "there is no service logs",
  ),
  write(
    "a version of rows, and none of their documents",
    consistency({
      search: [{ table: "a", column: "b", service: "logs", index: "i", versionColumn: "c" }],
    }),
    "consistency.one.search[0]",
    "versionColumn and versionField go together",
  ),
  write(
    "objects of an environment that is not there",
    consistency({ objects: [{ table: "a", column: "b", bucket: "files", environment: "prod" }] }),
    "consistency.one.objects[0].environment",
    "there is no environment prod",
  ),
  write(
    "alarms of an environment without regions",
    { environments: { prod: { aws: { alarms: ["prod-*"] } } } },
    "environments.prod.aws.alarms",
    "name their regions too",
  ),
  write(
    "a backup of an unknown service",
    backup({ service: "shop" }),
    "backups.jobs.one.service",
    "there is no service shop",
  ),
  write(
    "a backup to a destination that is not there",
    backup({ service: "school", destinations: ["server"] }),
    "backups.jobs.one.destinations[0]",
    "there is no destination server",
  ),
  write(
    "a backup that tells nobody there is",
    backup({ service: "school", notify: ["team"] }),
    "backups.jobs.one.notify[0]",
    "there is no notify team",
  ),
  write(
    "two copies in one place",
    {
      environments: { dev: { production: false } },
      services: {
        files: { kind: "s3", bucket: "files", environment: "dev" },
        pictures: { kind: "s3", bucket: "pictures", environment: "dev" },
      },
      backups: {
        destinations: { operator: { folder: "/b" } },
        recipients: [],
        jobs: {
          one: { service: "files", s3: { to: { bucket: "copy" } } },
          two: { service: "pictures", s3: { to: { bucket: "copy", prefix: "pictures" } } },
        },
      },
    },
    "backups.jobs.two.s3.to",
    "the copy of the job one is in the same place, or within it",
  ),
  write(
    "a drill into what is backed up",
    backup({ service: "school", scratch: "school" }),
    "backups.jobs.one.scratch",
    "school is what the job backs up itself",
  ),
  write(
    "a copy of another kind",
    backup({ service: "school", copy: "cache" }),
    "backups.jobs.one.copy",
    "cache is a redis service, school is mysql",
  ),
  write(
    "settings of another kind",
    backup({ service: "school", graphite: {} }),
    "backups.jobs.one.graphite",
    "school is a mysql service",
  ),
  write(
    "a bucket of an unknown environment",
    backup(
      { service: "school" },
      { destinations: { server: { bucket: "sets", environment: "prod" } } },
    ),
    "backups.destinations.server.environment",
    "there is no environment prod",
  ),
  write(
    "backups of nothing",
    backup({ service: "school" }, { jobs: {} }),
    "backups.jobs",
    "name at least one job",
  ),
  write(
    "an unknown default environment",
    { defaultEnvironment: "prod" },
    "defaultEnvironment",
    "there is no environment prod",
  ),
  write(
    "a default environment from Object",
    { environments: {}, defaultEnvironment: "toString" },
    "defaultEnvironment",
    "there is no environment toString",
  ),
  write(
    "an unknown environment of a host",
    { hosts: { web: { environment: "prod" } } },
    "hosts.web.environment",
    "there is no environment prod",
  ),
  write(
    "an environment from Object",
    { environments: {}, hosts: { web: { environment: "constructor" } } },
    "hosts.web.environment",
    "there is no environment constructor",
  ),
  write(
    "an unknown environment of a service",
    { services: { cache: { ...redis, address: "x", environment: "prod" } } },
    "services.cache.environment",
    "there is no environment prod",
  ),
  write(
    "an unknown jump host",
    jumps({ web: ["bastion"] }),
    "hosts.web.jump[0]",
    "there is no host bastion",
  ),
  write(
    "a jump host from Object",
    jumps({ web: ["valueOf"] }),
    "hosts.web.jump[0]",
    "there is no host valueOf",
  ),
  write("a host that jumps over itself", jumps({ web: ["web"] }), "hosts.web.jump", "web → web"),
  write(
    "two hosts that jump over each other",
    jumps({ a: ["b"], b: ["a"] }),
    "hosts.a.jump",
    "a → b → a",
    2,
  ),
  write(
    "three hosts in a circle",
    jumps({ a: ["b"], b: ["c"], c: ["a"] }),
    "hosts.b.jump",
    "b → c → a → b",
    3,
  ),
  write(
    "an unknown host of a service",
    { services: { cache: { ...redis, host: "web" } } },
    "services.cache.host",
    "there is no host web",
  ),
  write(
    "a service whose host is toString",
    { hosts: { web }, services: { cache: { ...redis, host: "toString" } } },
    "services.cache.host",
    "there is no host toString",
  ),
  write(
    "a service without host and address",
    { services: { cache: redis } },
    "services.cache",
    "a service needs a host to go through, an address, or both",
  ),
  write(
    "a tunnel without a host",
    { services: { cache: { ...redis, address: "x", localPort: 1 } } },
    "services.cache.localPort",
    "only a service behind a host has a tunnel",
  ),
  write(
    "an environment beside a host",
    {
      environments: { dev: {} },
      hosts: { web },
      services: { cache: { ...redis, host: "web", environment: "dev" } },
    },
    "services.cache.environment",
    "of that host",
  ),
  write(
    "two tunnels on one port",
    {
      hosts: { web },
      services: {
        a: { ...redis, host: "web", localPort: 16379 },
        b: { ...redis, host: "web", localPort: 16379 },
      },
    },
    "services.b.localPort",
    "16379 is the port of a already",
  ),
  write(
    "an unknown host of a replica",
    { services: { school: { kind: "mysql", port: 3306, address: "x", replica: { host: "web" } } } },
    "services.school.replica.host",
    "there is no host web",
  ),
  write(
    "an unknown service in the menu",
    menu({ key: "1", service: "graphite" }),
    "menu[0].entries[0].service",
    "there is no service graphite",
  ),
  write(
    "a service from Object in the menu",
    menu({ key: "1", service: "hasOwnProperty" }),
    "menu[0].entries[0].service",
    "there is no service hasOwnProperty",
  ),
  write(
    "a service without a host in the menu",
    menu({ key: "1", service: "cache" }),
    "menu[0].entries[0].service",
    "cache has no host to open a shell on",
  ),
  ...["health", "fleet"].map((part) =>
    write(
      `somebody unknown who is told by ${part}`,
      { [part]: { notify: ["team"] } },
      `${part}.notify[0]`,
      "there is no notify team",
    ),
  ),
  write(
    "an unknown host in the menu",
    menu({ key: "1", host: "db" }),
    "menu[0].entries[0].host",
    "there is no host db",
  ),
  ...["menu", "awsConnect", "lcops"].map((word) =>
    write(
      `a menu entry that runs ${word}`,
      menu({ key: "1", label: "again", run: [word, "1"] }),
      "menu[0].entries[0].run[0]",
      "and not the menu",
    ),
  ),
  write(
    "a menu key taken twice",
    menu({ key: "rd", host: "web" }, { key: "RD", host: "web" }),
    "menu[0].entries[1].key",
    "the key RD is taken already",
  ),
];
